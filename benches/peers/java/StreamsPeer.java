import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;

/** StreamsPeer BOOTSTRAP IN_TOPIC OUT_TOPIC GUARANTEE STATE_DIR: one topic through AvroMask into the other, until killed. */
public final class StreamsPeer {
    public static void main(String[] a) {
        Properties p = new Properties();
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, a[0]);
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, a[2]);
        p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, a[3]);
        p.put(StreamsConfig.STATE_DIR_CONFIG, a[4]);
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, "2");
        p.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        p.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        p.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        p.put(StreamsConfig.consumerPrefix("fetch.min.bytes"), "65536");
        p.put(StreamsConfig.consumerPrefix("fetch.max.wait.ms"), "50");
        p.put(StreamsConfig.producerPrefix("batch.size"), "524288");
        p.put(StreamsConfig.producerPrefix("linger.ms"), "20");
        p.put(StreamsConfig.producerPrefix("buffer.memory"), "67108864");
        ThreadLocal<AvroMask> mask = ThreadLocal.withInitial(AvroMask::new);
        StreamsBuilder b = new StreamsBuilder();
        b.<byte[], byte[]>stream(a[1]).mapValues(v -> mask.get().apply(v)).to(a[2]);
        KafkaStreams s = new KafkaStreams(b.build(), p);
        Runtime.getRuntime().addShutdownHook(new Thread(s::close));
        s.start();
    }
}
