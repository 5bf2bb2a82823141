"""Facts about a resource: its owner, the policies on it, and the key that encrypts it.

Reads moto's backends; a policy that moto does not keep is added to `POLICIES` by the part that keeps it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from moto.backends import get_backend
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends

from local_aws.arn import parse_arn
from local_aws.authorization.policies import Document, parse

PARTITION = "aws"
IMAGE_TABLES = "image_uri_config"
"""The folder of sagemaker-core's data files about AWS's container images."""


def _backend(service: str, account: str, region: str) -> Any:
    """Moto's state of a service, imported at its first use."""
    backends: Any = get_backend(service)  # ty: ignore[no-matching-overload]  # which lists the services by name
    return backends[account][region]


def account_of(arn: str) -> str | None:
    """The account that owns the resource `arn`; None when it has none (`*`) or does not exist (a bucket)."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return None
    if parts[2] == "s3" and not parts[4]:
        _, account = s3_backends.bucket_accounts.get(parts[5].split("/")[0], (None, None))
        return account
    return parts[4] if parts[4] not in ("", "*", "aws") else None


def policies_on(arn: str) -> tuple[Document, ...]:
    """The resource-based policies (and grants) on the resource `arn`; none when it has none or does not exist."""
    service = parse_arn(arn).service if arn.startswith("arn:") else ""
    texts = POLICIES[service](arn) if service in POLICIES else []
    return tuple(parse(f"on {arn}", text) for text in texts if text)


def as_text(policy: Any) -> str:
    """A policy in JSON; moto keeps some that CloudFormation deployed as dictionaries."""
    return policy if isinstance(policy, str) else json.dumps(policy, default=str)


def decides_alone(arn: str, action: str) -> bool:
    """Whether the resource's own policy must allow, even to callers of its account: keys, and roles to assume."""
    return arn.startswith("arn:aws:kms:") or action.startswith("sts:AssumeRole")


def key_arn(key: str, account: str, region: str) -> str | None:
    """ARN of the KMS key that the id, alias, or ARN `key` names; None for keys that AWS manages (`alias/aws/…`)."""
    if key.startswith("arn:"):
        _, region, account, key = parse_arn(key)
    if key.removeprefix("alias/").startswith("aws/"):
        return None
    backend = _backend("kms", account, region)
    found = backend.get_key_id_from_alias(key) if key.startswith("alias/") else key.removeprefix("key/")
    return f"arn:{PARTITION}:kms:{region}:{account}:key/{found or key}"


def bucket_key(bucket: str, region: str) -> str | None:
    """ARN of the customer-managed key that encrypts new objects in `bucket`."""
    found = _bucket(bucket)
    if found is None or not found.encryption:
        return None
    default = found.encryption["Rule"].get("ApplyServerSideEncryptionByDefault", {})
    key = default.get("KMSMasterKeyID") if default.get("SSEAlgorithm", "").startswith("aws:kms") else None
    return key_arn(key, found.account_id, region) if key else None


def object_key(bucket: str, name: str, version: str | None, region: str) -> str | None:
    """ARN of the customer-managed key that encrypts an existing object."""
    found = _bucket(bucket)
    versions = found.keys.getlist(name) if found else None
    stored = next((v for v in reversed(versions or []) if version in (None, getattr(v, "version_id", None))), None)
    if stored is None or not str(getattr(stored, "encryption", "")).startswith("aws:kms") or not stored.kms_key_id:
        return None
    return key_arn(stored.kms_key_id, found.account_id, region)


def object_exists(bucket: str, name: str) -> bool:
    """Whether `bucket` holds an object `name`."""
    found = _bucket(bucket)
    return found is not None and name in found.keys


def uses_bucket_key(bucket: str) -> bool:
    """Whether the bucket's objects share a bucket key: then the encryption context is the bucket, not the object."""
    found = _bucket(bucket)
    return bool(found and found.encryption and str(found.encryption["Rule"].get("BucketKeyEnabled")).lower() == "true")


def queue_or_topic_key(arn: str) -> str | None:
    """ARN of the customer-managed key of the SQS queue or SNS topic `arn`."""
    service, region, account, name = parse_arn(arn)
    backend = _backend(service, account, region)
    found = backend.queues.get(name) if service == "sqs" else backend.topics.get(arn)
    key = getattr(found, "kms_master_key_id", None)
    return key_arn(key, account, region) if key else None


def role_arn(name: str, account: str) -> str | None:
    """ARN, path included, of the role `name`."""
    roles = iam_backends[account][PARTITION].roles.values()
    return next((role.arn for role in roles if role.name == name), None)


def _bucket(name: str) -> Any:
    partition, account = s3_backends.bucket_accounts.get(name, (None, None))
    return s3_backends[account][partition].buckets.get(name) if account and partition else None


# Policies by service: ARN -> JSON texts


def _on_bucket(arn: str) -> list[str]:
    found = _bucket(parse_arn(arn).resource.split("/")[0])
    policy = found.policy if found else None
    return [policy.decode() if isinstance(policy, bytes) else policy] if policy else []


def _on_queue(arn: str) -> list[str]:
    _, region, account, name = parse_arn(arn)
    found = _backend("sqs", account, region).queues.get(name)
    return [found.policy] if found and found.policy else []


def _on_topic(arn: str) -> list[str]:
    _, region, account, _ = parse_arn(arn)
    found = _backend("sns", account, region).topics.get(arn)
    return [found.policy] if found else []


def _on_key(arn: str) -> list[str]:
    _, region, account, key = parse_arn(arn)
    found = _backend("kms", account, region).keys.get(key.removeprefix("key/"))
    return [found.policy, *map(_grant_as_policy, found.list_grants(""))] if found else []


def _grant_as_policy(grant: Any) -> str:
    kind = "Service" if grant.grantee_principal.endswith(".amazonaws.com") else "AWS"
    constraints = grant.constraints or {}
    context = {**constraints.get("EncryptionContextSubset", {}), **constraints.get("EncryptionContextEquals", {})}
    conditions: dict[str, Any] = {
        "StringEquals": {f"kms:EncryptionContext:{key}": value for key, value in context.items()}
    }
    if constraints.get("EncryptionContextEquals"):
        conditions["ForAllValues:StringEquals"] = {"kms:EncryptionContextKeys": list(context)}
    statement = {
        "Sid": f"grant {grant.id}",
        "Effect": "Allow",
        "Principal": {kind: grant.grantee_principal},
        "Action": [f"kms:{operation}" for operation in grant.operations],
        "Resource": "*",
        "Condition": conditions,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _on_role(arn: str) -> list[str]:
    _, _, account, name = parse_arn(arn)
    roles = iam_backends[account][PARTITION].roles.values()
    return [r.assume_role_policy_document for r in roles if f"role{r.path}{r.name}" == name] if account else []


def _on_function(arn: str) -> list[str]:
    _, region, account, name = parse_arn(arn)
    functions = _backend("lambda", account, region).list_functions() if account and region else []
    named = [f for f in functions if f.function_name == name.split(":")[1]] if name.startswith("function:") else []
    return [json.dumps({"Version": "2012-10-17", "Statement": f.policy.statements}) for f in named]


def _on_event_bus(arn: str) -> list[str]:
    _, region, account, name = parse_arn(arn)
    found = _backend("events", account, region).event_buses.get(name.removeprefix("event-bus/"))
    return [found.policy] if found and found.policy else []


@cache
def _aws_registries() -> frozenset[str] | None:
    """Accounts from which AWS publishes SageMaker's images, as data files of the SageMaker SDK list them; None without it."""
    try:
        files = distribution("sagemaker-core").files or ()
    except PackageNotFoundError:
        return None
    paths = [Path(str(file.locate())) for file in files if IMAGE_TABLES in str(file)]
    return frozenset(re.findall(r'"(\d{12})"', "".join(path.read_text() for path in paths if path.suffix == ".json")))


def _is_registry_of_aws(account: str, region: str, repository: str) -> bool:
    """Whether a registry is AWS's own. Without the SDK's list, every one is that has no such repository here."""
    registries = _aws_registries()
    if registries is None:
        return repository not in _backend("ecr", account, region).repositories
    return account in registries


def _on_repository(arn: str) -> list[str]:
    _, region, account, name = parse_arn(arn)
    name = name.removeprefix("repository/")
    if _is_registry_of_aws(account, region, name):  # open to every principal that its own account permits
        pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        statement = {"Sid": "Everyone", "Effect": "Allow", "Principal": "*", "Action": pull}
        return [json.dumps({"Version": "2012-10-17", "Statement": [statement]})]
    found = _backend("ecr", account, region).repositories.get(name)
    return [found.policy] if found and found.policy else []


def _on_secret(arn: str) -> list[str]:
    _, region, account, _ = parse_arn(arn)
    secrets: Any = _backend("secretsmanager", account, region).secrets.values()
    return [s.policy for s in secrets if s.arn == arn and getattr(s, "policy", None)]


POLICIES: dict[str, Callable[[str], list[str]]] = {
    "s3": _on_bucket,
    "sqs": _on_queue,
    "sns": _on_topic,
    "kms": _on_key,
    "iam": _on_role,
    "lambda": _on_function,
    "events": _on_event_bus,
    "ecr": _on_repository,
    "secretsmanager": _on_secret,
}
