"""Tries every operation on every topic as one principal, with real clients, and prints what is allowed as one JSON object:
{topic: [operation, ...]}. Nothing is changed but by WRITE, which appends a record.

usage: rights.py CLIENT_PROPERTIES TOPIC...
"""

import json
import sys

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

DEADLINE_SECONDS = 60
# Kafka refuses for these before it looks at what is asked; whatever else it answers, it has let the principal ask.
REFUSALS = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)


def is_refusal(error):
    return error is not None and error.code() in REFUSALS


def properties(path):
    with open(path, encoding="utf-8") as lines:
        pairs = (line.strip().split("=", 1) for line in lines if line.strip() and not line.startswith("#"))
        return {key: value for key, value in pairs}


def futures(answers):
    """What became of each request: allowed or refused; anything else is the test's failure."""
    for key, future in answers.items():
        try:
            future.result(timeout=DEADLINE_SECONDS)
            yield key, True
        except KafkaException as error:
            invalid = (KafkaError.INVALID_PARTITIONS, KafkaError.UNKNOWN_TOPIC_OR_PART)
            if not is_refusal(error.args[0]) and error.args[0].code() not in invalid:
                raise
            # a topic that may not be described is said not to be there
            refused = is_refusal(error.args[0]) or error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
            yield key, not refused


def described(admin, topics):
    for topic in topics:
        found = admin.list_topics(topic, timeout=DEADLINE_SECONDS).topics[topic]
        if found.error is None:
            yield topic
        elif not is_refusal(found.error):
            raise KafkaException(found.error)


def read(settings, user, topics):
    consumer = Consumer(
        settings
        | {
            "group.id": user,
            "enable.partition.eof": True,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 50,
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0) for topic in topics])
    pending, allowed = set(topics), []
    while pending:
        message = consumer.poll(DEADLINE_SECONDS)
        if message is None:
            sys.exit(f"{user}: nothing was said of {sorted(pending)}")
        error, topic = message.error(), message.topic()
        if error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            continue
        if topic in pending:
            pending.discard(topic)
            if error is None or error.code() == KafkaError._PARTITION_EOF:
                allowed.append(topic)
            elif not is_refusal(error):
                sys.exit(f"{user} on {topic}: {error}")
    consumer.close()
    return allowed


def written(settings, topics):
    producer = Producer(settings | {"enable.idempotence": False, "acks": "all"})
    allowed = []

    def delivered(error, message):
        if error is None:
            allowed.append(message.topic())
        elif not is_refusal(error):
            sys.exit(f"{message.topic()}: {error}")

    for topic in topics:
        producer.produce(topic, key=b"rights.py", value=b"", partition=0, on_delivery=delivered)
    if producer.flush(DEADLINE_SECONDS):
        sys.exit("not everything was answered")
    return allowed


def main():
    path, topics = sys.argv[1], sys.argv[2:]
    settings = properties(path)
    admin = AdminClient(settings)
    resources = {topic: ConfigResource(ResourceType.TOPIC, topic) for topic in topics}
    changes = [
        ConfigResource(
            ResourceType.TOPIC,
            topic,
            incremental_configs=[
                ConfigEntry("retention.ms", "86400000", incremental_operation=AlterConfigOpType.SET)
            ],
        )
        for topic in topics
    ]
    allowed = {topic: [] for topic in topics}

    def note(operation, names):
        for name in names:
            allowed[name].append(operation)

    note("describe", described(admin, topics))
    configs = admin.describe_configs(list(resources.values()), request_timeout=DEADLINE_SECONDS)
    note("describe-configs", (resource.name for resource, ok in futures(configs) if ok))
    # whoever may read, write or delete may describe: what may not be described is out of reach
    seen = [topic for topic in topics if "describe" in allowed[topic]]
    if seen:
        note("read", read(settings, settings["sasl.username"], seen))
        note("write", written(settings, seen))
        before = admin.delete_records([TopicPartition(topic, 0, 0) for topic in seen], request_timeout=DEADLINE_SECONDS)
        note("delete", (partition.topic for partition, ok in futures(before) if ok))
    # as many as there are, or fewer, is invalid for whoever may ask; too many in all would be refused to everybody, topic by topic
    more = admin.create_partitions([NewPartitions(topic, 1) for topic in topics], validate_only=True)
    note("alter", (topic for topic, ok in futures(more) if ok))
    altered = admin.incremental_alter_configs(changes, validate_only=True)
    note("alter-configs", (resource.name for resource, ok in futures(altered) if ok))
    print(json.dumps(allowed))


main()
