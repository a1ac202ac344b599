import java.io.FileInputStream;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;

/**
 * What others do to a cluster, and what they see of it, by Kafka's own client.
 *
 * The first argument is a file of client settings, each further one a statement: `quota|user=ana|client-id=kcat|consumer_byte_rate|78`
 * (no name after the `=`: the default of its kind), `scram|user|password` (SCRAM-SHA-256), `describe`.
 */
public class ByHand {
    public static void main(String[] args) throws Exception {
        Properties settings = new Properties();
        try (FileInputStream file = new FileInputStream(args[0])) {
            settings.load(file);
        }
        try (Admin admin = Admin.create(settings)) {
            for (String statement : List.of(args).subList(1, args.length)) {
                List<String> words = List.of(statement.split("\\|"));
                switch (words.get(0)) {
                    case "quota" -> quota(admin, words.subList(1, words.size()));
                    case "scram" -> scram(admin, words.get(1), words.get(2));
                    case "describe" -> describe(admin);
                    default -> throw new IllegalArgumentException(statement);
                }
            }
        }
    }

    private static void quota(Admin admin, List<String> words) throws Exception {
        Map<String, String> entity = new TreeMap<>();
        for (String part : words.subList(0, words.size() - 2)) {
            int equals = part.indexOf('=');
            String name = part.substring(equals + 1);
            entity.put(part.substring(0, equals), name.isEmpty() ? null : name);
        }
        ClientQuotaAlteration.Op op =
            new ClientQuotaAlteration.Op(words.get(words.size() - 2), Double.parseDouble(words.get(words.size() - 1)));
        admin.alterClientQuotas(List.of(new ClientQuotaAlteration(new ClientQuotaEntity(entity), List.of(op)))).all().get();
    }

    private static void scram(Admin admin, String user, String password) throws Exception {
        ScramCredentialInfo info = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096);
        admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(user, info, password))).all().get();
    }

    /** A line for each quota: `user=ana client-id=kcat consumer_byte_rate=78.0`, sorted. */
    private static void describe(Admin admin) throws Exception {
        TreeSet<String> lines = new TreeSet<>();
        admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get().forEach((entity, quotas) -> {
            String parts = new TreeMap<>(entity.entries()).descendingMap().entrySet().stream()
                .map(part -> part.getKey() + "=" + (part.getValue() == null ? "" : part.getValue()))
                .collect(Collectors.joining(" "));
            quotas.forEach((quota, value) -> lines.add(parts + " " + quota + "=" + value));
        });
        lines.forEach(System.out::println);
    }
}
