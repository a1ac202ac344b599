"""Lets the one principal of a plain listener write a topic, or refuses it; what else it may do stays as it was.

usage: acls.py BOOTSTRAP refuse|allow TOPIC
"""

import sys

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

PRINCIPAL = "User:ANONYMOUS"


def rule(topic, operation, permission):
    return AclBinding(
        ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, PRINCIPAL, "*", operation, permission
    )


def main():
    bootstrap, what, topic = sys.argv[1:]
    admin = AdminClient({"bootstrap.servers": bootstrap})
    refusal = rule(topic, AclOperation.WRITE, AclPermissionType.DENY)
    if what == "refuse":
        # A topic with any rule admits nothing that no rule allows; a refusal wins over what is allowed.
        asked = admin.create_acls([rule(topic, AclOperation.ALL, AclPermissionType.ALLOW), refusal])
    else:
        asked = admin.delete_acls(
            [
                AclBindingFilter(
                    refusal.restype,
                    refusal.name,
                    refusal.resource_pattern_type,
                    refusal.principal,
                    refusal.host,
                    refusal.operation,
                    refusal.permission_type,
                )
            ]
        )
    for future in asked.values():
        future.result()


main()
