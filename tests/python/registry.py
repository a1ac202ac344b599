"""A conversation of confluent-kafka's client and serializers with the registry; prints each answer as a JSON line.

usage: registry.py REGISTRY [CA_FILE USER:PASSWORD]
"""

import json
import sys

from confluent_kafka.schema_registry import SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry import Schema as RegistrySchema
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.common.schema_registry_client import ConfigCompatibilityLevel, ServerConfig
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

TOPIC = "python.orders"
SUBJECT = f"{TOPIC}-value"


def record(name, *fields):
    fields = [{"name": name, "type": kind, **rest} for name, kind, rest in fields]
    # Without blanks, and with short names, as registries keep schemas.
    return json.dumps({"type": "record", "name": name, "namespace": "python", "fields": fields}, separators=(",", ":"))


COUNTRY = record("Country", ("code", "string", {}))
ADDRESS = record("Address", ("city", "string", {}), ("country", "Country", {}))
ORDER = record("Order", ("id", "string", {}), ("to", "Address", {}))
ORDER_WITH_NOTE = record(
    "Order", ("id", "string", {}), ("to", "Address", {}), ("note", "string", {"default": ""})
)
ORDER_BROKEN = record("Order", ("id", "int", {}), ("to", "Address", {}))
ADDRESSED = ("python.Address", "python.address", 1)


def avro(text, *references):
    return RegistrySchema(text, "AVRO", [SchemaReference(*reference) for reference in references])


def say(step, **saw):
    print(json.dumps({"step": step, **saw}))


def code(call):
    """The registry's answer to what it must refuse."""
    try:
        call()
    except SchemaRegistryError as error:
        return [error.http_status_code, error.error_code]
    return None


def named_by(registered):
    return [registered.subject, registered.version]


def referring(client):
    """Schemas that refer to others that refer to others."""
    client.register_schema("python.country", avro(COUNTRY))
    client.register_schema("python.address", avro(ADDRESS, ("python.Country", "python.country", 1)))
    orphan = code(lambda: client.register_schema(SUBJECT, avro(ORDER, ("python.Address", "nowhere", 1))))
    say("references", to_nothing=orphan)
    return avro(ORDER, ADDRESSED)


def serializers(client, order):
    value = {"id": "O-1", "to": {"city": "Salem", "country": {"code": "US"}}}
    context = SerializationContext(TOPIC, MessageField.VALUE)
    unknown = code(lambda: AvroSerializer(client, order, conf={"auto.register.schemas": False})(value, context))
    say("neither registered nor allowed to", code=unknown)

    payload = AvroSerializer(client, order)(value, context)
    latest = AvroSerializer(client, order, conf={"auto.register.schemas": False, "use.latest.version": True})
    fresh = SchemaRegistryClient(client.config())
    say(
        "registered while serialising",
        wire_format=payload[0] == 0 and int.from_bytes(payload[1:5]) == client.get_latest_version(SUBJECT).schema_id,
        same_as_use_latest=latest(value, context) == payload,
        decoded_by_another=AvroDeserializer(fresh)(payload, context) == value,
    )
    return int.from_bytes(payload[1:5])


def look_up(client, order, order_id):
    found = client.lookup_schema(SUBJECT, order)
    by_id = client.get_schema(order_id)
    say(
        "looked up",
        named=named_by(found),
        same_id=found.schema_id == order_id,
        same_text=by_id.schema_str == order.schema_str,
        references=[reference.to_dict() for reference in by_id.references],
        subjects=client.get_subjects_by_schema_id(order_id),
        versions=[[use.subject, use.version] for use in client.get_schema_versions(order_id)],
        referenced_by=client.get_referenced_by("python.address", 1) == [order_id],
        all=client.get_subjects(subject_prefix="python."),
        types=client.get_schema_types(),
    )
    say(
        "not there",
        subject=code(lambda: client.get_versions("python.nothing")),
        version=code(lambda: client.get_version(SUBJECT, 9)),
        schema=code(lambda: client.lookup_schema(SUBJECT, avro(ORDER_BROKEN, ADDRESSED))),
        id=code(lambda: client.get_schema(999_999)),
        under_no_subject=code(lambda: client.lookup_schema("python.nothing", order)),
    )


def compatibility(client):
    broken, better = avro(ORDER_BROKEN, ADDRESSED), avro(ORDER_WITH_NOTE, ADDRESSED)
    say(
        "compatibility",
        broken=client.test_compatibility(SUBJECT, broken),
        broken_with_version_1=client.test_compatibility(SUBJECT, broken, version=1, verbose=True),
        better=client.test_compatibility(SUBJECT, better),
        better_with_all=client.test_compatibility_all_versions(SUBJECT, better, normalize=True),
        registered_though_broken=code(lambda: client.register_schema(SUBJECT, broken)),
        not_avro=code(lambda: client.register_schema(SUBJECT, avro('{"type":"recrod"}'))),
    )
    client.register_schema(SUBJECT, better)
    client.clear_latest_caches()
    say("evolved", versions=client.get_versions(SUBJECT), latest=named_by(client.get_latest_version(SUBJECT)))


def config(client):
    not_set = code(lambda: client.get_compatibility(SUBJECT))
    full = ServerConfig(compatibility=ConfigCompatibilityLevel.FULL)
    say(
        "levels",
        of_all=client.get_compatibility(),
        not_set=not_set,
        set=client.set_config(SUBJECT, full)["compatibility"],
        read=client.get_compatibility(SUBJECT),
        lower_case=client.set_compatibility(SUBJECT, "none")["compatibility"],
        no_level=code(lambda: client.set_compatibility(SUBJECT, "mostly")),
        deleted=client.delete_config(SUBJECT).compatibility_level,
        gone=code(lambda: client.get_config(SUBJECT)),
    )
    say(
        "modes",
        of_all=client.get_global_mode(),
        not_set=code(lambda: client.get_mode(SUBJECT)),
        set=client.update_mode(SUBJECT, "READONLY"),
        refused=code(lambda: client.register_schema(SUBJECT, avro(ORDER_BROKEN, ADDRESSED))),
        deleted=client.delete_mode(SUBJECT),
        no_mode=code(lambda: client.update_mode(SUBJECT, "SOMETIMES")),
    )


def deletes(client, order_id):
    say(
        "deleted softly",
        referenced=code(lambda: client.delete_version("python.address", 1)),
        hard_at_once=code(lambda: client.delete_version(SUBJECT, 1, permanent=True)),
        version=client.delete_version(SUBJECT, 1),
        twice=code(lambda: client.delete_version(SUBJECT, 1)),
        versions=client.get_versions(SUBJECT),
        with_deleted=client.get_versions(SUBJECT, deleted=True),
        still_by_id=SchemaRegistryClient(client.config()).get_schema(order_id).schema_str == ORDER,
    )
    say(
        "deleted for good",
        subject_at_once=code(lambda: client.delete_subject(SUBJECT, permanent=True)),
        subject=client.delete_subject(SUBJECT),
        twice=code(lambda: client.delete_subject(SUBJECT)),
        subject_for_good=client.delete_subject(SUBJECT, permanent=True),
        by_id=code(lambda: SchemaRegistryClient(client.config()).get_schema(order_id)),
        left=client.get_subjects(subject_prefix="python."),
    )


def contexts(client):
    schema_id = client.register_schema(":.python:country", avro(COUNTRY))
    say(
        "contexts",
        own_ids=schema_id,
        versions=client.get_versions(":.python:country"),
        by_id=client.get_schema(schema_id, subject_name=":.python:country").schema_str == COUNTRY,
        contexts=".python" in client.get_contexts(),
    )


def main():
    settings = {"url": sys.argv[1], "max.retries": 0}
    if len(sys.argv) > 2:
        settings |= {"ssl.ca.location": sys.argv[2], "basic.auth.user.info": sys.argv[3]}
    client = SchemaRegistryClient(settings)
    order = referring(client)
    order_id = serializers(client, order)
    look_up(client, order, order_id)
    compatibility(client)
    config(client)
    contexts(client)
    deletes(client, order_id)


main()
