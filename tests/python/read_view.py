"""Reads the first N records of a view with the registry's own AvroDeserializer and prints each as a JSON line.

usage: read_view.py BOOTSTRAP REGISTRY TOPIC N
"""

import json
import sys
import uuid

from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

DEADLINE_SECONDS = 60


def main():
    bootstrap, registry, topic, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    deserialise = AvroDeserializer(SchemaRegistryClient({"url": registry}))
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"python-{uuid.uuid4()}",
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic])
    for _ in range(count):
        message = consumer.poll(DEADLINE_SECONDS)
        if message is None:
            sys.exit(f"no record within {DEADLINE_SECONDS} s")
        if message.error() is not None:
            sys.exit(f"cannot read: {message.error()}")
        value = deserialise(message.value(), SerializationContext(topic, MessageField.VALUE))
        print(json.dumps({"key": message.key().decode(), "value": value}, default=str))
    consumer.close()


main()
