"""Writes records to a topic's first partition in a transaction, and aborts it.

usage: aborted.py BOOTSTRAP TOPIC COUNT
"""

import sys

from confluent_kafka import Producer


def fail_on_error(error, _message):
    if error is not None:
        sys.exit(f"cannot write: {error}")


def main():
    bootstrap, topic, count = sys.argv[1:4]
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": f"aborts-on-{topic}"})
    producer.init_transactions(60)
    producer.begin_transaction()
    for number in range(int(count)):
        producer.produce(topic, partition=0, key=str(number), value=b"never to be seen", on_delivery=fail_on_error)
        producer.poll(0)
    # what is aborted before it is sent would leave nothing behind
    if producer.flush(60) > 0:
        sys.exit("not everything was delivered within 60 s")
    producer.abort_transaction(60)


main()
