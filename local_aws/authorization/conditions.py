"""Condition operators and the request context that they read.

A key that a request cannot have is absent; a key that cannot be computed here is an error.
Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Multivalued context keys".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address, ip_network
from operator import eq, ge, gt, le, lt
from typing import Any

from local_aws.authorization.policies import Statement, UnresolvedVariableError, arn_like, like, resolve


class UnknownConditionError(NotImplementedError):
    """A policy uses a condition operator or key that this evaluation does not know."""


@dataclass(frozen=True)
class Context:
    """The condition keys of a request: `values` by lower-case key, and `absent`: keys known to have no value.

    An entry of `absent` that ends in `/`, `:` or `-` stands for all keys that begin so.
    """

    values: Mapping[str, tuple[str, ...]]
    absent: frozenset[str] = frozenset()

    @staticmethod
    def of(values: Mapping[str, str | Iterable[str] | None], absent: Iterable[str] = ()) -> Context:
        """Context from keys in any case; None as value means: known and absent. (A frozenset is in lower case.)"""
        present = {
            key.lower(): (value,) if isinstance(value, str) else tuple(value)
            for key, value in values.items()
            if value is not None
        }
        nothing = {key.lower() for key, value in values.items() if value is None} - set(present)
        known = absent if isinstance(absent, frozenset) else frozenset(key.lower() for key in absent)
        return Context(present, known | nothing if nothing else known)

    def get(self, key: str) -> tuple[str, ...]:
        """Values of `key`, empty when absent. Raises UnknownConditionError for a key that nothing here computes."""
        lowered = key.lower()
        if lowered in self.values:
            return self.values[lowered]
        if lowered in self.absent or any(p[-1] in "/:-" and lowered.startswith(p) for p in self.absent):
            return ()
        raise UnknownConditionError(
            f"condition key {key} is not known for this call: compute it in local_aws/authorization/context.py"
        )

    def variable(self, key: str) -> str:
        """The single value of `key` for a policy variable. Raises UnresolvedVariableError without one."""
        values = self.get(key)
        if len(values) != 1:
            raise UnresolvedVariableError(key)
        return values[0]


def holds(statement: Statement, context: Context) -> bool:
    """Whether every condition of `statement` holds. Raises UnknownConditionError, naming policy and statement."""
    try:
        return all(_holds(*condition, context, statement.variables) for condition in statement.conditions)
    except (UnknownConditionError, ValueError) as error:
        raise UnknownConditionError(f"policy {statement.source}, statement {statement.sid}: {error}") from error


def _holds(operator: str, key: str, wanted: tuple[str, ...], context: Context, variables: bool) -> bool:
    quantifier, _, name = operator.rpartition(":")
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    given = context.get(key)
    if name == "Null":
        return all((not given) is (value.lower() == "true") for value in wanted)
    if name not in OPERATORS:
        raise UnknownConditionError(f"condition operator {operator} is not known")
    negated, matches = OPERATORS[name]
    if not given:
        return optional or quantifier == "ForAllValues" or (negated and quantifier != "ForAnyValue")
    value = context.variable if variables else None
    verdicts = [any(matches(want, have, value) for want in wanted) is not negated for have in given]
    if quantifier == "ForAnyValue":
        return any(verdicts)
    if quantifier == "ForAllValues" or (not quantifier and negated):
        return all(verdicts)
    if not quantifier:
        # EventBridge user guide, "Using IAM policy conditions": without a set operator, two sources match no list of sources.
        return len(given) == 1 and verdicts[0]
    raise UnknownConditionError(f"condition operator {operator} is not known")


# Comparisons: (value in the policy, value in the request, resolver of variables) -> whether they match

Resolver = Callable[[str], str] | None
Comparison = Callable[[str, str, Resolver], bool]


def _same(want: str, have: str, value: Resolver, fold: bool = False) -> bool:
    if value is not None and "${" in want:
        try:
            head, *rest = want.split("${")
            pieces = [piece.partition("}") for piece in rest]
            want = head + "".join(resolve(name, value) + tail for name, _, tail in pieces)
        except UnresolvedVariableError:
            return False
    return want.casefold() == have.casefold() if fold else want == have


def _compare(convert: Callable[[str], Any], compare: Callable[[Any, Any], bool], want: str, have: str, _: Any) -> bool:
    return compare(convert(have), convert(want))


def _moment(text: str) -> datetime:
    if text.replace(".", "", 1).isdigit():
        return datetime.fromtimestamp(float(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _within(want: str, have: str, _: Resolver) -> bool:
    return ip_address(have) in ip_network(want, strict=False)


_ignore_case = partial(_same, fold=True)


def _boolean(want: str, have: str, _: Resolver) -> bool:
    return want.lower() == have.lower()


OPERATORS: dict[str, tuple[bool, Comparison]] = {
    "StringEquals": (False, _same),
    "StringNotEquals": (True, _same),
    "StringEqualsIgnoreCase": (False, _ignore_case),
    "StringNotEqualsIgnoreCase": (True, _ignore_case),
    "StringLike": (False, like),
    "StringNotLike": (True, like),
    "ArnEquals": (False, arn_like),
    "ArnLike": (False, arn_like),
    "ArnNotEquals": (True, arn_like),
    "ArnNotLike": (True, arn_like),
    "Bool": (False, _boolean),
    "BinaryEquals": (False, _same),
    "IpAddress": (False, _within),
    "NotIpAddress": (True, _within),
}
_COMPARISONS = {
    "Equals": (False, eq),
    "NotEquals": (True, eq),
    "LessThan": (False, lt),
    "LessThanEquals": (False, le),
    "GreaterThan": (False, gt),
    "GreaterThanEquals": (False, ge),
}
for _name, (_negated, _operator) in _COMPARISONS.items():
    OPERATORS[f"Numeric{_name}"] = (_negated, partial(_compare, float, _operator))
    OPERATORS[f"Date{_name}"] = (_negated, partial(_compare, _moment, _operator))
