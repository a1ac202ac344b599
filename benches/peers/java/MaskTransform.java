import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.Transformation;

/** AvroMask as a Connect transformation, for MirrorMaker 2, whose records are bytes. Connect makes one instance per task. */
public final class MaskTransform implements Transformation<SourceRecord> {
    private final AvroMask mask = new AvroMask();

    @Override
    public SourceRecord apply(SourceRecord r) {
        byte[] masked = mask.apply((byte[]) r.value());
        return r.newRecord(r.topic(), r.kafkaPartition(), r.keySchema(), r.key(), r.valueSchema(), masked, r.timestamp());
    }

    @Override
    public ConfigDef config() {
        return new ConfigDef();
    }

    @Override
    public void configure(Map<String, ?> c) {}

    @Override
    public void close() {}
}
