"""Policies of S3 buckets."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from ..rule import CLOUDFORMATION, Entry, Request, Rule
from .values import compact, every, statements, unknown_principal, without_principal

_policy = partial(Rule, CLOUDFORMATION, "AWS::S3::BucketPolicy", code="MalformedPolicy")


def _resources(request: Request) -> Iterator[tuple[list[str], list[str]]]:
    for each in statements(request.params.get("PolicyDocument")):
        yield [str(action) for action in every(each.get("Action"))], [str(item) for item in every(each.get("Resource"))]


def _other_bucket(request: Request) -> bool:
    arn = f":s3:::{request.params.get('Bucket')}"
    names = [name for _, resources in _resources(request) for name in resources]
    return any(name.partition("/")[0][name.find(":s3:::") :] != arn and name != "*" for name in names)


def _no_object(request: Request) -> bool:
    """Actions on objects only, on resources that are buckets only."""
    for actions, resources in _resources(request):
        on_objects = all(re.match(r"s3:(Get|Put|Delete|Restore)Object", action) for action in actions)
        if actions and resources and on_objects and not any("/" in name or "*" in name for name in resources):
            return True
    return False


def _foreign_action(request: Request) -> bool:
    prefixes = ("s3:", "s3-object-lambda:", "*")
    return any(not action.lower().startswith(prefixes) for actions, _ in _resources(request) for action in actions)


def _too_long(request: Request) -> bool:
    return len(compact(request.params.get("PolicyDocument", {}))) > 20 * 1024


def _statement(**members: Any) -> dict[str, Any]:
    statement = {"Principal": "*", "Action": "s3:GetObject", "Effect": "Deny", "Resource": "arn:aws:s3:::data/*"}
    return {"Bucket": "data", "PolicyDocument": {"Statement": [statement | members]}}


ENTRIES: tuple[Entry, ...] = (
    _policy(
        says="The resources of a bucket policy are the bucket and its objects.",
        source="S3 user guide, Examples of Amazon S3 bucket policies",
        message="Policy has invalid resource",
        check=_other_bucket,
        accepted=_statement(Resource=["arn:aws:s3:::data", "arn:aws:s3:::data/*"]),
        refused=_statement(Resource="arn:aws:s3:::other/*"),
    ),
    _policy(
        says="Actions on objects need resources that are objects.",
        source="S3 user guide, Policy resources for Amazon S3",
        message="Action does not apply to any resource(s) in statement",
        check=_no_object,
        accepted=_statement(),
        refused=_statement(Resource="arn:aws:s3:::data"),
    ),
    _policy(
        says="A bucket policy has actions of S3 only.",
        source="S3 user guide, Policy actions for Amazon S3",
        message="Policy has invalid action",
        check=_foreign_action,
        accepted=_statement(Action="s3:*"),
        refused=_statement(Action="kms:Decrypt"),
    ),
    _policy(
        says="The principals of a bucket policy exist.",
        source="IAM user guide, AWS JSON policy elements: Principal",
        message="Invalid principal in policy",
        check=unknown_principal,
        accepted=_statement(Principal={"AWS": "arn:aws:iam::123456789012:role/reader"}),
        refused=_statement(Principal={"AWS": "arn:aws:iam::123456789012:role/gone"}),
        given={"role/reader": {}},
    ),
    _policy(
        says="Every statement of a bucket policy has a principal.",
        source="S3 user guide, Principals for bucket policies",
        message="Missing required field Principal",
        check=without_principal,
        accepted=_statement(),
        refused={
            "Bucket": "data",
            "PolicyDocument": {"Statement": [{"Action": "s3:*", "Resource": "arn:aws:s3:::data"}]},
        },
    ),
    _policy(
        says="A bucket policy has up to 20 KB.",
        source="S3 user guide, Bucket policies for Amazon S3",
        message="Policy exceeds the maximum allowed document size.",
        check=_too_long,
        accepted=_statement(),
        refused=_statement(Sid="a" * 20480),
    ),
)
