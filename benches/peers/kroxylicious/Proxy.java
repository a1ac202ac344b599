import io.kroxylicious.proxy.KafkaProxy;
import io.kroxylicious.proxy.config.ConfigParser;
import io.kroxylicious.proxy.internal.config.Features;
import java.nio.file.*;

/** Proxy CONFIG: what the main of kroxylicious-app does; that module is not in the registry. */
public final class Proxy {
    public static void main(String[] a) throws Exception {
        ConfigParser parser = new ConfigParser();
        try (var in = Files.newInputStream(Path.of(a[0]));
                var proxy = new KafkaProxy(parser, parser.parseConfiguration(in), Features.defaultFeatures())) {
            proxy.startup();
            proxy.block();
        }
    }
}
