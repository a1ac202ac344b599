import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.avro.Schema;
import org.apache.avro.generic.*;
import org.apache.avro.io.*;

/** Confluent-framed Avro in, the same with the sensitive fields masked out. One instance per thread: everything is reused. */
final class AvroMask {
    static Schema schema() {
        try (InputStream in = AvroMask.class.getResourceAsStream("/customer.avsc")) {
            return new Schema.Parser().parse(in);
        } catch (IOException e) {
            throw new RuntimeException(e);
        }
    }

    private final Mac mac;
    private final GenericDatumReader<GenericRecord> reader;
    private final GenericDatumWriter<GenericRecord> writer;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream(2048);
    private BinaryDecoder decoder;
    private BinaryEncoder encoder;
    private GenericRecord reuse;

    AvroMask() {
        Schema s = schema();
        reader = new GenericDatumReader<>(s);
        writer = new GenericDatumWriter<>(s);
        try {
            mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec("0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII), "HmacSHA256"));
        } catch (Exception e) {
            throw new RuntimeException(e);
        }
    }

    GenericRecord decode(byte[] b) throws IOException {
        decoder = DecoderFactory.get().binaryDecoder(b, 5, b.length - 5, decoder);
        return reuse = reader.read(reuse, decoder);
    }

    void mask(GenericRecord r) {
        r.put("full_name", "***");
        r.put("email", hmac(r.get("email").toString(), 64));
        String phone = r.get("phone").toString();
        r.put("phone", "***" + phone.substring(Math.max(0, phone.length() - 4)));
        r.put("iban", hmac(r.get("iban").toString(), 32));
        r.put("birth_date", (int) LocalDate.ofEpochDay((Integer) r.get("birth_date")).withDayOfYear(1).toEpochDay());
        ((GenericRecord) r.get("address")).put("street", "***");
    }

    byte[] encode(byte[] header, GenericRecord r) throws IOException {
        out.reset();
        out.write(header, 0, 5);
        encoder = EncoderFactory.get().binaryEncoder(out, encoder);
        writer.write(r, encoder);
        encoder.flush();
        return out.toByteArray();
    }

    byte[] apply(byte[] b) {
        try {
            GenericRecord r = decode(b);
            mask(r);
            return encode(b, r);
        } catch (IOException e) {
            throw new RuntimeException(e);
        }
    }

    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private String hmac(String s, int hexLength) {
        byte[] d = mac.doFinal(s.getBytes(StandardCharsets.UTF_8));
        byte[] h = new byte[hexLength];
        for (int i = 0; i < hexLength / 2; i++) {
            h[2 * i] = HEX[d[i] >> 4 & 15];
            h[2 * i + 1] = HEX[d[i] & 15];
        }
        return new String(h, StandardCharsets.ISO_8859_1);
    }
}
