"""Policy documents as typed data: statements, and whether their actions, resources and principals match.

Wildcards and policy variables live here too. Conditions are in `conditions.py`, the verdict in `evaluation.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Any, Literal

ELEMENTS = {
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
}  # fmt: skip
SPECIAL_CHARACTERS = {"*", "?", "$"}  # ${*} is a literal star


class InvalidPolicyError(ValueError):
    """A policy document that IAM would refuse, or that is not supported here."""


class UnresolvedVariableError(LookupError):
    """A policy variable has no value in this request, so the pattern that holds it matches nothing."""


class Reach(IntEnum):
    """How directly a resource-based policy names the caller; a direct grant passes more limits than a delegation."""

    ACCOUNT = 1  # the caller's account: that account's administrators decide
    PRINCIPAL = 2  # the role or user, the service, or everyone
    SESSION = 3  # this very session of a role


@dataclass(frozen=True)
class Principal:
    """Who calls: `arn` is a session, user or root ARN, or the host name of an AWS service (then `account` is empty)."""

    arn: str
    account: str = ""
    role_arn: str | None = None

    @property
    def is_service(self) -> bool:
        return not self.arn.startswith("arn:")


@dataclass(frozen=True)
class Statement:
    """One statement of a policy; `source` and `sid` say where it stands."""

    source: str
    sid: str
    effect: Literal["Allow", "Deny"]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[tuple[str, tuple[str, ...]], ...] | None
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]
    not_action: bool = False
    not_resource: bool = False
    not_principal: bool = False
    variables: bool = True

    def covers_action(self, action: str) -> bool:
        """Whether the statement is about `action` (`s3:GetObject`); case does not matter."""
        lowered = action.lower()
        return any(like(pattern.lower(), lowered) for pattern in self.actions) is not self.not_action

    def covers_resource(self, resource: str, value: Callable[[str], str]) -> bool:
        """Whether the statement is about the ARN `resource`; `value` resolves policy variables."""
        if not self.resources:  # trust policies and repository policies name no resource: they belong to one
            return True
        resolve = value if self.variables else None
        return any(arn_like(pattern, resource, resolve) for pattern in self.resources) is not self.not_resource

    def reach(self, principal: Principal) -> Reach | None:
        """How directly the statement names `principal`; None when it does not."""
        if self.principals is None:
            return None
        named = [reach for kind, values in self.principals for v in values if (reach := _reach(kind, v, principal))]
        if not self.not_principal:
            return max(named, default=None)
        # Exempt from NotPrincipal is only who is named with the account, the role and the session, as IAM documents.
        needed = {Reach.ACCOUNT, Reach.PRINCIPAL} | ({Reach.SESSION} if principal.role_arn else set())
        exempt = bool(named) if principal.is_service else set(named) >= needed
        return None if exempt else Reach.PRINCIPAL


@dataclass(frozen=True)
class Document:
    """A policy: its name (for messages and reports) and statements."""

    name: str
    statements: tuple[Statement, ...]
    _about: dict[str, tuple[Statement, ...]] = field(default_factory=dict, compare=False, repr=False)

    def about(self, action: str) -> tuple[Statement, ...]:
        """The statements that cover `action`, cached because every call needs them."""
        if action not in self._about:
            self._about[action] = tuple(s for s in self.statements if s.covers_action(action))
        return self._about[action]


@lru_cache(maxsize=4096)
def parse(name: str, text: str) -> Document:
    """The policy document in JSON `text`. Raises InvalidPolicyError, naming policy and statement."""
    try:
        data = json.loads(text)
        raw = data["Statement"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidPolicyError(f"policy {name}: not a JSON object with a Statement: {error}") from error
    variables = data.get("Version") == "2012-10-17"
    statements = [raw] if isinstance(raw, dict) else raw
    return Document(name, tuple(_statement(name, i, each, variables) for i, each in enumerate(statements)))


def _statement(source: str, index: int, raw: Mapping[str, Any], variables: bool) -> Statement:
    sid = raw.get("Sid") or f"#{index}"
    unknown = set(raw) - ELEMENTS
    if unknown or raw.get("Effect") not in ("Allow", "Deny") or ("Action" in raw) == ("NotAction" in raw):
        why = f"unknown elements {sorted(unknown)}" if unknown else "needs an Effect and one of Action and NotAction"
        raise InvalidPolicyError(f"policy {source}, statement {sid}: {why}")
    principals = raw.get("Principal", raw.get("NotPrincipal"))
    if isinstance(principals, str):
        principals = {"AWS": principals}
    return Statement(
        source=source,
        sid=sid,
        effect=raw["Effect"],
        actions=_texts(raw.get("Action", raw.get("NotAction"))),
        resources=_texts(raw.get("Resource", raw.get("NotResource", []))),
        principals=None if principals is None else tuple((k, _texts(v)) for k, v in principals.items()),
        conditions=tuple(
            (operator, key, _texts(values))
            for operator, keys in raw.get("Condition", {}).items()
            for key, values in keys.items()
        ),
        not_action="NotAction" in raw,
        not_resource="NotResource" in raw,
        not_principal="NotPrincipal" in raw,
        variables=variables,
    )


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in values)


def _reach(kind: str, named: str, principal: Principal) -> Reach | None:
    if named == "*" and kind in ("AWS", "*"):
        return Reach.PRINCIPAL
    if principal.is_service:
        return Reach.PRINCIPAL if kind == "Service" and named == principal.arn else None
    if kind != "AWS":
        return None
    if named == principal.account or named == f"arn:aws:iam::{principal.account}:root":
        return Reach.ACCOUNT
    if principal.role_arn and named == principal.arn:
        return Reach.SESSION
    return Reach.PRINCIPAL if named == (principal.role_arn or principal.arn) else None


# Patterns


@lru_cache(maxsize=8192)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in text), re.DOTALL)


def like(pattern: str, text: str, value: Callable[[str], str] | None = None) -> bool:
    """Whether `text` fits `pattern` with `*`, `?` and, when `value` is given, `${variables}`."""
    if value is not None and "${" in pattern:
        try:
            return _variable_pattern(pattern, value).fullmatch(text) is not None
        except UnresolvedVariableError:
            return False
    return _pattern(pattern).fullmatch(text) is not None


def _variable_pattern(pattern: str, value: Callable[[str], str]) -> re.Pattern[str]:
    parts = re.split(r"\$\{([^}]*)\}", pattern)
    texts = (re.escape(resolve(part, value)) if i % 2 else _pattern(part).pattern for i, part in enumerate(parts))
    return re.compile("".join(texts), re.DOTALL)


def resolve(variable: str, value: Callable[[str], str]) -> str:
    """The value of the inside of `${…}`: a literal character, a context key, or `key, 'default'`.

    Raises UnresolvedVariableError when the request has no value and the policy no default.
    """
    if variable in SPECIAL_CHARACTERS:
        return variable
    key, comma, default = variable.partition(",")
    try:
        return value(key.strip())
    except UnresolvedVariableError:
        if comma:
            return default.strip().strip("'")
        raise


@lru_cache(maxsize=8192)
def _arn_pattern(pattern: str) -> re.Pattern[str]:
    *first, last = _parts(pattern)
    # In what is no ARN a star stands for anything.
    return re.compile(
        ":".join([_pattern(part).pattern.replace(".*", "[^:]*") for part in first] + [_pattern(last).pattern]),
        re.DOTALL,
    )


@lru_cache(maxsize=8192)
def _parts(pattern: str) -> tuple[str, ...]:
    """The six parts of an ARN pattern; IAM completes an incomplete one with stars. One part: it is no ARN."""
    # A variable may hold colons (${aws:PrincipalAccount}): they do not part the ARN.
    parts = re.split(r":(?![^{}]*\})", pattern, maxsplit=5)
    return tuple(parts) if len(parts) == 1 else (*parts, *["*"] * (6 - len(parts)))


def arn_like(pattern: str, arn: str, value: Callable[[str], str] | None = None) -> bool:
    """Whether `arn` fits `pattern`, part by part: a star does not reach over the colons of the first five parts."""
    if pattern == "*":
        return True
    if value is None or "${" not in pattern:
        return _arn_pattern(pattern).fullmatch(arn) is not None
    patterns, parts = _parts(pattern), arn.split(":", 5)
    if len(parts) < 6 or len(patterns) == 1:
        return like(pattern, arn, value)
    return all(like(p, part, value) for p, part in zip(patterns, parts, strict=True))
