"""Says on mesh.heartbeats that a producer is alive and has nothing new, as crates/client/schema/heartbeat.schema.json has it.

usage: heartbeat.py BOOTSTRAP PRODUCT UNIQUE_ID MAJOR PRODUCER

A producer of one's own sends one now and then while it is well: first it flushes, then it asks where the input port ends.
"""

import json
import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition


def fail_on_error(error, _message):
    if error is not None:
        sys.exit(f"cannot write: {error}")


def end_offsets(bootstrap, topic):
    # read committed, as the sidecar reads: what an open transaction has written does not count yet
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "mesh-reader", "isolation.level": "read_committed"})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        asked = [TopicPartition(topic, partition) for partition in partitions]
        return {at.partition: consumer.get_watermark_offsets(at, timeout=10)[1] for at in asked}
    finally:
        consumer.close()


def main():
    bootstrap, product, unique_id, major, producer_name = sys.argv[1:6]
    at_ms = time.time_ns() // 1_000_000
    heartbeat = {
        "product": product,
        "version": int(major),
        "producer": producer_name,
        "at_ms": at_ms,
        "offsets": end_offsets(bootstrap, f"{product}.v{major}.in"),
    }
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    key = f"{unique_id}/{major}/{producer_name}"
    producer.produce("mesh.heartbeats", key=key, value=json.dumps(heartbeat), on_delivery=fail_on_error)
    if producer.flush(60) > 0:
        sys.exit("the heartbeat was not delivered within 60 s")
    print(json.dumps(heartbeat))


main()
