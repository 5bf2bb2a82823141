"""Lifecycle rules of S3 buckets."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from ..checks import found
from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .values import every, number, repeated

_LIFECYCLE = "S3 user guide, Lifecycle configuration elements"
_bucket = partial(Rule, CLOUDFORMATION, "AWS::S3::Bucket")


def _rules(request: Request) -> Iterator[dict[str, Any]]:
    return found(request.params, "LifecycleConfiguration.Rules[]")


_ACTIONS = (
    "AbortIncompleteMultipartUpload", "ExpirationDate", "ExpirationInDays", "ExpiredObjectDeleteMarker",
    "NoncurrentVersionExpiration", "NoncurrentVersionExpirationInDays", "NoncurrentVersionTransition",
    "NoncurrentVersionTransitions", "Transition", "Transitions",
)  # fmt: skip


def _no_action(request: Request) -> bool:
    return any(not any(name in rule for name in _ACTIONS) for rule in _rules(request))


def _transitions(rule: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        each for each in every(rule.get("Transitions")) + every(rule.get("Transition")) if "TransitionInDays" in each
    ]


def _early(request: Request) -> Values | None:
    for rule in _rules(request):
        for each in _transitions(rule):
            if each["StorageClass"] in ("STANDARD_IA", "ONEZONE_IA") and number(each, "TransitionInDays") < 30:
                return {"storage_class": each["StorageClass"]}
    return None


def _expired_first(request: Request) -> Values | None:
    for rule in _rules(request):
        last = max((number(each, "TransitionInDays") for each in _transitions(rule)), default=None)
        if last is not None and "ExpirationInDays" in rule and number(rule, "ExpirationInDays") <= last:
            return {"prefix": rule.get("Prefix", "")}
    return None


def _not_positive(request: Request) -> bool:
    return any(number(rule, "ExpirationInDays", 1) < 1 for rule in _rules(request))


def _two_expirations(request: Request) -> bool:
    return any("ExpirationDate" in rule and "ExpirationInDays" in rule for rule in _rules(request))


def _same_id(request: Request) -> bool:
    return repeated([rule["Id"] for rule in _rules(request) if "Id" in rule]) is not None


def _tagged_uploads(request: Request) -> bool:
    return any("TagFilters" in rule and "AbortIncompleteMultipartUpload" in rule for rule in _rules(request))


def _lifecycle(**rule: Any) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled"} | rule]}}


_IA = {"StorageClass": "STANDARD_IA", "TransitionInDays": 30}

ENTRIES: tuple[Entry, ...] = (
    _bucket(
        says="A lifecycle rule has at least one action.",
        source=_LIFECYCLE,
        code="InvalidRequest",
        message="At least one action needs to be specified in a rule",
        check=_no_action,
        accepted=_lifecycle(ExpirationInDays=1),
        refused=_lifecycle(Prefix="captured/"),
    ),
    _bucket(
        says="Objects move to an infrequent-access class after 30 days or more.",
        source="S3 user guide, Transitioning objects using Amazon S3 Lifecycle",
        code="InvalidArgument",
        message="'Days' in Transition action must be greater than or equal to 30 for storageClass '{storage_class}'",
        check=_early,
        accepted=_lifecycle(Transitions=[_IA]),
        refused=_lifecycle(Transitions=[_IA | {"TransitionInDays": 29}]),
    ),
    _bucket(
        says="Objects expire after their last transition.",
        source=_LIFECYCLE,
        code="InvalidArgument",
        message="'Days' in the Expiration action for filter '(prefix={prefix})' must be greater than 'Days' in the Transition "
        "action",
        check=_expired_first,
        accepted=_lifecycle(Transitions=[_IA], ExpirationInDays=31),
        refused=_lifecycle(Transitions=[_IA], ExpirationInDays=30),
    ),
    _bucket(
        says="Objects expire after one day or more.",
        source="S3 API reference, LifecycleExpiration",
        code="InvalidArgument",
        message="'Days' for Expiration action must be a positive integer",
        check=_not_positive,
        accepted=_lifecycle(ExpirationInDays="1"),
        refused=_lifecycle(ExpirationInDays=0),
    ),
    _bucket(
        says="A lifecycle rule has an expiration date or a number of days, not both.",
        source="S3 API reference, LifecycleExpiration",
        code="MalformedXML",
        message="The XML you provided was not well-formed or did not validate against our published schema",
        check=_two_expirations,
        accepted=_lifecycle(ExpirationInDays=1),
        refused=_lifecycle(ExpirationInDays=1, ExpirationDate="2027-01-01T00:00:00Z"),
    ),
    _bucket(
        says="Ids of lifecycle rules are unique.",
        source="S3 API reference, LifecycleRule",
        code="InvalidArgument",
        message="Rule ID must be unique. Found same ID for more than one rule",
        check=_same_id,
        accepted=_lifecycle(Id="a", ExpirationInDays=1),
        refused={"LifecycleConfiguration": {"Rules": [{"Id": "a", "ExpirationInDays": 1}] * 2}},
    ),
    _bucket(
        says="A rule that aborts incomplete uploads has no tag filter.",
        source=_LIFECYCLE,
        code="InvalidRequest",
        message="AbortIncompleteMultipartUpload cannot be specified with Tags",
        check=_tagged_uploads,
        accepted=_lifecycle(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}),
        refused=_lifecycle(AbortIncompleteMultipartUpload={}, TagFilters=[{"Key": "a", "Value": "b"}]),
    ),
)
