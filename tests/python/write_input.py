"""Writes records to an input port with the registry's own AvroSerializer: JSON lines on standard input, a key column.

usage: write_input.py BOOTSTRAP REGISTRY TOPIC SCHEMA_FILE|latest KEY_COLUMN

With `latest` nothing is registered: the newest version is taken, with all that it refers to.
"""

import json
import sys

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext


def fail_on_error(error, _message):
    if error is not None:
        sys.exit(f"cannot write: {error}")


def main():
    bootstrap, registry, topic, schema_file, key_column = sys.argv[1:6]
    client = SchemaRegistryClient({"url": registry})
    if schema_file == "latest":
        serialise = AvroSerializer(client, conf={"auto.register.schemas": False, "use.latest.version": True})
    else:
        with open(schema_file, encoding="utf-8") as file:
            serialise = AvroSerializer(client, file.read())
    # murmur2_random is the partitioner of every Java client; librdkafka's own default differs.
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "enable.idempotence": True})
    for text in sys.stdin:
        record = json.loads(text)
        value = serialise(record, SerializationContext(topic, MessageField.VALUE))
        producer.produce(topic, key=str(record[key_column]), value=value, on_delivery=fail_on_error)
    if producer.flush(60) > 0:
        sys.exit("not everything was delivered within 60 s")


main()
