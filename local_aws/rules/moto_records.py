"""Records that rules ask for, from moto's backends."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from moto.backends import get_backend

from ..arn import parse_arn

type Record = Mapping[str, Any] | None


def _role(account: str, _: str, name: str) -> Record:
    """A role by its name or ARN, with its trust policy and its longest session."""
    owner = parse_arn(name).account if name.startswith("arn:") else account
    backend: Any = get_backend("iam")[owner]["aws"]
    role = next((each for each in backend.roles.values() if name in (each.name, each.arn)), None)
    return role and {
        "AssumeRolePolicyDocument": _document(role.assume_role_policy_document),
        "MaxSessionDuration": int(role.max_session_duration or 3600),
    }


def _document(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(unquote(text))
    except ValueError:
        return {}


def _policy(account: str, _: str, arn: str) -> Record:
    """A customer managed policy by its ARN."""
    backend: Any = get_backend("iam")[account]["aws"]
    return {} if arn in backend.managed_policies else None


def _key(account: str, region: str, identifier: str) -> Record:
    """A KMS key by its id or alias, with its policy, usage, specification and state."""
    backend: Any = get_backend("kms")[account][region]
    alias = identifier.startswith("alias/")
    key = backend.keys.get(backend.get_key_id_from_alias(identifier) if alias else identifier)
    return key and {
        "Arn": key.arn,
        "Policy": key.policy,
        "KeyUsage": key.key_usage or "ENCRYPT_DECRYPT",
        "KeySpec": key.key_spec or "SYMMETRIC_DEFAULT",
        "KeyState": key.key_state,
        "SigningAlgorithms": key.signing_algorithms,
    }


def _bucket(account: str, _: str, name: str) -> Record:
    """A bucket by its name, of any account: names are global."""
    backends: Any = get_backend("s3")
    owner = backends.bucket_accounts.get(name, (None, account))[1]
    bucket = backends[owner]["aws"].buckets.get(name)
    return bucket and {
        "DefaultRetention": bucket.default_lock_mode or None,
        "ObjectLock": bucket.object_lock_enabled,
        "Ownership": _ownership(bucket.ownership_rule),
    }


def _object_lock(account: str, _: str, name: str) -> Record:
    """The retention of an object by `<bucket>/<key>?<version id>`; without an id that of its newest version."""
    backends: Any = get_backend("s3")
    path, _, version = name.rpartition("?")
    bucket, _, key = path.partition("/")
    owner = backends.bucket_accounts.get(bucket, (None, account))[1]
    if bucket not in (buckets := backends[owner]["aws"].buckets):
        return None
    versions = [each for each in buckets[bucket].keys.getlist(key) or [] if hasattr(each, "lock_mode")]
    found = next((each for each in reversed(versions) if version in ("", str(each.version_id))), None)
    return found and {"Mode": found.lock_mode, "RetainUntilDate": found.lock_until}


def _ownership(stored: Any) -> str:
    """Who owns objects: moto stores what the creation's header or a configuration says; BucketOwnerEnforced is the default."""
    if isinstance(stored, str):
        return stored
    rules = (stored or {}).get("Rule") or [{}]
    first = rules[0] if isinstance(rules, list) else rules
    return first.get("ObjectOwnership", "BucketOwnerEnforced")


def _function(account: str, region: str, name: str) -> Record:
    """A function by its name or ARN."""
    backend: Any = get_backend("lambda")[account][region]
    plain = name.split(":function:")[-1].partition(":")[0]
    function = next((each for each in backend.list_functions() if each.function_name == plain), None)
    return function and {"Timeout": int(function.timeout)}


def _schedule_group(account: str, region: str, name: str) -> Record:
    backend: Any = get_backend("scheduler")[account][region]
    return {} if name in backend.schedule_groups else None


def _route_table(account: str, region: str, identifier: str) -> Record:
    """A route table by its id, with its VPC."""
    backend: Any = get_backend("ec2")[account][region]
    table = backend.route_tables.get(identifier)
    return table and {"VpcId": table.vpc_id}


def _vpc(account: str, region: str, identifier: str) -> Record:
    """A VPC by its id, with the ranges of its subnets."""
    backend: Any = get_backend("ec2")[account][region]
    vpc = backend.vpcs.get(identifier)
    if vpc is None:
        return None
    subnets = [
        each.cidr_block for zone in backend.subnets.values() for each in zone.values() if each.vpc_id == identifier
    ]
    return {
        "CidrBlock": vpc.cidr_block,
        "EnableDnsSupport": str(vpc.enable_dns_support).lower() == "true",
        "EnableDnsHostnames": str(vpc.enable_dns_hostnames).lower() == "true",
        "Subnets": subnets,
    }


def _subnet(account: str, region: str, identifier: str) -> Record:
    """A subnet by its id, with its zone."""
    backend: Any = get_backend("ec2")[account][region]
    subnet = next((zone[identifier] for zone in backend.subnets.values() if identifier in zone), None)
    return subnet and {"AvailabilityZone": subnet.availability_zone, "VpcId": subnet.vpc_id}


def _queue(account: str, region: str, name: str) -> Record:
    """Attributes of a queue by its name, or by its URL, which has the account of its owner."""
    owner = name.rstrip("/").split("/")[-2] if "/" in name else account
    backend: Any = get_backend("sqs")[owner][region]
    queue = backend.queues.get(name.rpartition("/")[2])
    return queue and {
        "FifoQueue": queue.fifo_queue,
        "ContentBasedDeduplication": queue.content_based_deduplication,
        "MaximumMessageSize": int(queue.maximum_message_size),
        "VisibilityTimeout": int(queue.visibility_timeout),
    }


def _topic(account: str, region: str, name: str) -> Record:
    """Attributes of a topic by its ARN."""
    backend: Any = get_backend("sns")[account][region]
    topic = backend.topics.get(name)
    return topic and {
        "FifoTopic": topic.fifo_topic == "true",
        "ContentBasedDeduplication": topic.content_based_deduplication == "true",
    }


def _alarm(account: str, region: str, name: str) -> Record:
    backend: Any = get_backend("cloudwatch")[account][region]
    return {} if name in backend.alarms else None


def _scalable_target(account: str, region: str, resource: str) -> Record:
    backend: Any = get_backend("applicationautoscaling")[account][region]
    return {} if any(resource in targets for targets in backend.targets.values()) else None


def _log_group(account: str, region: str, name: str) -> Record:
    backend: Any = get_backend("logs")[account][region]
    return {} if name in backend.groups else None


def _log_stream(account: str, region: str, name: str) -> Record:
    """A log stream by `<group>:<stream>`."""
    backend: Any = get_backend("logs")[account][region]
    group, _, stream = name.partition(":")
    return {} if group in backend.groups and stream in backend.groups[group].streams else None


RECORDS: dict[str, Callable[[str, str, str], Record]] = {
    "role": _role,
    "policy": _policy,
    "key": _key,
    "bucket": _bucket,
    "object-lock": _object_lock,
    "schedule-group": _schedule_group,
    "function": _function,
    "route-table": _route_table,
    "vpc": _vpc,
    "subnet": _subnet,
    "queue": _queue,
    "topic": _topic,
    "alarm": _alarm,
    "log-group": _log_group,
    "log-stream": _log_stream,
    "scalable-target": _scalable_target,
}
