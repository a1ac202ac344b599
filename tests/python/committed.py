"""Reads topics to their end, read-committed, and prints each record as a JSON line.

usage: committed.py BOOTSTRAP TOPIC...
"""

import json
import sys

from confluent_kafka import Consumer, KafkaError, TopicPartition

DEADLINE_SECONDS = 60


def partitions(consumer, topic):
    metadata = consumer.list_topics(topic, timeout=10).topics[topic]
    return [TopicPartition(topic, partition, 0) for partition in metadata.partitions]


def line(message):
    return {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp": message.timestamp()[1],
        "key": message.key().hex() if message.key() is not None else None,
        "value": message.value().hex() if message.value() is not None else None,
        "headers": {name: (value or b"").decode("utf-8", "replace") for name, value in message.headers() or []},
    }


def main():
    bootstrap, topics = sys.argv[1], sys.argv[2:]
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "unused",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    wanted = [partition for topic in topics for partition in partitions(consumer, topic)]
    consumer.assign(wanted)
    at_end = set()
    while len(at_end) < len(wanted):
        message = consumer.poll(DEADLINE_SECONDS)
        if message is None:
            sys.exit(f"no answer within {DEADLINE_SECONDS} s")
        if message.error() is None:
            print(json.dumps(line(message)))
        elif message.error().code() == KafkaError._PARTITION_EOF:
            at_end.add((message.topic(), message.partition()))
        else:
            sys.exit(f"cannot read: {message.error()}")
    consumer.close()


main()
