"""Changes a cluster's access rules as an operator does by hand, and returns when the changes hold. One rule a line on standard input:

+|- ALLOW|DENY PRINCIPAL HOST OPERATION TYPE LITERAL|PREFIXED NAME

usage: rules.py CLIENT_PROPERTIES
"""

import sys
import time

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

DEADLINE_SECONDS = 60


def properties(path):
    with open(path, encoding="utf-8") as lines:
        return dict(line.strip().split("=", 1) for line in lines if line.strip() and not line.startswith("#"))


def parse(make, line):
    permission, principal, host, operation, kind, pattern, name = line.split()
    return make(
        ResourceType[kind.upper()],
        name,
        ResourcePatternType[pattern.upper()],
        principal,
        host,
        AclOperation[operation.upper()],
        AclPermissionType[permission.upper()],
    )


def main():
    admin = AdminClient(properties(sys.argv[1]))
    lines = [line.strip() for line in sys.stdin if line.strip()]
    added = [line[1:] for line in lines if line.startswith("+")]
    removed = [line[1:] for line in lines if line.startswith("-")]
    if len(added) + len(removed) != len(lines):
        sys.exit("a line begins with + or -")
    asked = {}
    if added:
        asked |= admin.create_acls([parse(AclBinding, line) for line in added])
    if removed:
        asked |= admin.delete_acls([parse(AclBindingFilter, line) for line in removed])
    for rule, future in asked.items():
        gone = future.result(timeout=DEADLINE_SECONDS)
        if isinstance(rule, AclBindingFilter) and len(gone) != 1:
            sys.exit(f"{rule} was not there")
    everything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    there = {parse(AclBinding, line) for line in added}
    absent = {parse(AclBinding, line) for line in removed}
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        found = set(admin.describe_acls(everything, request_timeout=DEADLINE_SECONDS).result())
        if there <= found and not absent & found:
            return
        if time.monotonic() > deadline:
            sys.exit(f"not there: {there - found}, still there: {absent & found}")
        time.sleep(0.02)


main()
