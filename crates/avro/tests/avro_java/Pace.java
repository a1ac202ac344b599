import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;

/**
 * How fast Avro Java checks pairs of schemas. A line "check FILE TIMES" goes over the file's pairs, parsed before, so many
 * times; "parse FILE TIMES" parses them each time. The answer is "NANOSECONDS INCOMPATIBLE": the thread's CPU time, without
 * what the JIT compiler and the garbage collector take on theirs, and the incompatible pairs of one time.
 */
public class Pace {
  private record Pair(String writerText, String readerText, Schema writer, Schema reader) {}

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
    String loaded = null;
    List<Pair> pairs = null;
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.split("\t");
      if (!words[1].equals(loaded)) {
        loaded = words[1];
        pairs = load(Path.of(loaded));
      }
      int times = Integer.parseInt(words[2]);
      long before = THREADS.getCurrentThreadCpuTime();
      int incompatible = words[0].equals("check") ? check(pairs, times) : parse(pairs, times);
      long after = THREADS.getCurrentThreadCpuTime();
      out.println((after - before) + " " + incompatible / times);
    }
  }

  private static List<Pair> load(Path file) throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    List<Pair> pairs = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      JsonNode pair = mapper.readTree(line);
      String writer = pair.get("writer").textValue();
      String reader = pair.get("reader").textValue();
      pairs.add(new Pair(writer, reader, new Schema.Parser().parse(writer), new Schema.Parser().parse(reader)));
    }
    return pairs;
  }

  private static int check(List<Pair> pairs, int times) {
    int incompatible = 0;
    for (int time = 0; time < times; time++) {
      for (Pair pair : pairs) {
        incompatible += breaks(pair.writer(), pair.reader());
      }
    }
    return incompatible;
  }

  private static int parse(List<Pair> pairs, int times) {
    int incompatible = 0;
    for (int time = 0; time < times; time++) {
      for (Pair pair : pairs) {
        Schema writer = new Schema.Parser().parse(pair.writerText());
        Schema reader = new Schema.Parser().parse(pair.readerText());
        incompatible += breaks(writer, reader);
      }
    }
    return incompatible;
  }

  private static int breaks(Schema writer, Schema reader) {
    try {
      SchemaCompatibilityType type = SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getType();
      return type == SchemaCompatibilityType.COMPATIBLE ? 0 : 1;
    } catch (RuntimeException error) {
      return 1;
    }
  }
}
