import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HexFormat;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericEnumSymbol;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

/**
 * What Avro Java reads: JSON lines {"writer", "reader", "hex"} in, a schema each and a datum of the writer in Avro's binary
 * encoding; without "reader" it is read as it was written. Lines {"datum"} out, in Avro's JSON encoding but without what tells
 * unions' branches, or {"error"} where Java refuses the datum or does not read all of its bytes.
 */
public class Decoder {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode question = MAPPER.readTree(line);
      ObjectNode answer = MAPPER.createObjectNode();
      try {
        answer.set("datum", read(question));
      } catch (Exception refused) {
        answer.put("error", String.valueOf(refused.getMessage()));
      }
      out.println(answer);
    }
    out.flush();
  }

  private static JsonNode read(JsonNode question) throws Exception {
    Schema writer = new Schema.Parser().parse(question.get("writer").toString());
    Schema reader = question.has("reader") ? new Schema.Parser().parse(question.get("reader").toString()) : writer;
    byte[] bytes = HexFormat.of().parseHex(question.get("hex").textValue());
    BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(bytes, null);
    Object datum = new GenericDatumReader<Object>(writer, reader).read(null, decoder);
    if (!decoder.isEnd()) {
      throw new IllegalArgumentException("bytes are left over");
    }
    return json(datum);
  }

  private static JsonNode json(Object datum) {
    if (datum instanceof IndexedRecord record) {
      ObjectNode object = MAPPER.createObjectNode();
      record.getSchema().getFields().forEach(field -> object.set(field.name(), json(record.get(field.pos()))));
      return object;
    }
    if (datum instanceof Map<?, ?> map) {
      ObjectNode object = MAPPER.createObjectNode();
      map.forEach((key, value) -> object.set(key.toString(), json(value)));
      return object;
    }
    if (datum instanceof Collection<?> items) {
      ArrayNode array = MAPPER.createArrayNode();
      items.forEach(item -> array.add(json(item)));
      return array;
    }
    if (datum instanceof ByteBuffer bytes) {
      return TextNode.valueOf(StandardCharsets.ISO_8859_1.decode(bytes).toString());
    }
    if (datum instanceof GenericFixed fixed) {
      return TextNode.valueOf(new String(fixed.bytes(), StandardCharsets.ISO_8859_1));
    }
    if (datum instanceof Float number) {
      return DoubleNode.valueOf(number.doubleValue());
    }
    boolean isText = datum instanceof CharSequence || datum instanceof GenericEnumSymbol;
    return isText ? TextNode.valueOf(datum.toString()) : MAPPER.valueToTree(datum);
  }
}
