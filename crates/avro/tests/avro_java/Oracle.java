import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.apache.avro.Resolver;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;

/**
 * What Avro Java says of pairs of schemas: JSON lines {"writer", "reader"} in, lines "checker decoder" out, each of the two
 * one of compatible, incompatible, threw, invalid. The checker is SchemaCompatibility; the decoder is the resolution that
 * data is really decoded by, which now and then disagrees with it.
 */
public class Oracle {
  public static void main(String[] args) throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode pair = mapper.readTree(line);
      out.println(answer(pair.get("writer").toString(), pair.get("reader").toString()));
    }
    out.flush();
  }

  private static String answer(String writerText, String readerText) {
    Schema writer;
    Schema reader;
    try {
      writer = new Schema.Parser().parse(writerText);
      reader = new Schema.Parser().parse(readerText);
    } catch (RuntimeException invalid) {
      return "invalid invalid";
    }
    return checker(writer, reader) + " " + decoder(writer, reader);
  }

  private static String checker(Schema writer, Schema reader) {
    try {
      SchemaCompatibilityType type = SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getType();
      return type == SchemaCompatibilityType.COMPATIBLE ? "compatible" : "incompatible";
    } catch (RuntimeException error) {
      return "threw";
    }
  }

  private static String decoder(Schema writer, Schema reader) {
    try {
      Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
      return fails(Resolver.resolve(writer, reader), seen) ? "incompatible" : "compatible";
    } catch (RuntimeException error) {
      return "threw";
    }
  }

  /** Whether some datum runs into an error. */
  private static boolean fails(Resolver.Action action, Set<Object> seen) {
    if (action == null || !seen.add(action)) {
      return false;
    }
    if (action instanceof Resolver.ErrorAction) {
      return true;
    }
    if (action instanceof Resolver.Container) {
      return fails(((Resolver.Container) action).elementAction, seen);
    }
    if (action instanceof Resolver.RecordAdjust) {
      return anyFails(((Resolver.RecordAdjust) action).fieldActions, seen);
    }
    if (action instanceof Resolver.WriterUnion) {
      return anyFails(((Resolver.WriterUnion) action).actions, seen);
    }
    if (action instanceof Resolver.ReaderUnion) {
      return fails(((Resolver.ReaderUnion) action).actualAction, seen);
    }
    if (action instanceof Resolver.EnumAdjust) {
      for (int symbol : ((Resolver.EnumAdjust) action).adjustments) {
        if (symbol < 0) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean anyFails(Resolver.Action[] actions, Set<Object> seen) {
    for (Resolver.Action action : actions) {
      if (fails(action, seen)) {
        return true;
      }
    }
    return false;
  }
}
