"""The rule of a composite alarm: functions of the states of other alarms, with AND, OR, NOT and parentheses.

Source: CloudWatch API reference, PutCompositeAlarm, AlarmRule.
"""

import re
from collections.abc import Callable

_TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?P<name>\"[^\"]+\"|'[^']+'|[^\s\"'()]+)\s*\)"
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<sign>[()]))"
)
_ARN = re.compile(r"arn:[^:]+:cloudwatch:[^:]*:\d*:alarm:(.+)")


class RuleError(ValueError):
    """The text is no rule."""


class AlarmRule:
    """A parsed rule. Raises RuleError."""

    def __init__(self, text: str) -> None:
        self._text, self._tokens, self._at = text, list(_tokens(text)), 0
        self.names: list[str] = list(dict.fromkeys(name for kind, name in self._tokens if kind in _STATES))
        """The alarms that it names, in the order of the rule."""
        self.holds(lambda name: "OK")

    def holds(self, state: Callable[[str], str]) -> bool:
        """Whether the rule is true. `state`: of the alarm with this name."""
        self._at = 0
        found = self._or(state)
        if self._at < len(self._tokens):
            raise RuleError(f"unexpected {self._tokens[self._at][0]} in the rule {self._text!r}")
        return found

    def _or(self, state: Callable[[str], str]) -> bool:
        found = self._and(state)
        while self._take("OR"):
            found = self._and(state) or found
        return found

    def _and(self, state: Callable[[str], str]) -> bool:
        found = self._not(state)
        while self._take("AND"):
            found = self._not(state) and found
        return found

    def _not(self, state: Callable[[str], str]) -> bool:
        if self._take("NOT"):
            return not self._not(state)
        if self._take("("):
            found = self._or(state)
            if not self._take(")"):
                raise RuleError(f"')' is missing in the rule {self._text!r}")
            return found
        if self._at == len(self._tokens):
            raise RuleError(f"the rule {self._text!r} is incomplete")
        kind, name = self._tokens[self._at]
        self._at += 1
        if kind in ("TRUE", "FALSE"):
            return kind == "TRUE"
        if kind not in _STATES:
            raise RuleError(f"unexpected {kind} in the rule {self._text!r}")
        return state(name) == kind

    def _take(self, kind: str) -> bool:
        taken = self._at < len(self._tokens) and self._tokens[self._at][0] == kind
        self._at += taken
        return taken


_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise RuleError(f"unexpected {text[at:].strip().split()[0]!r} in the rule {text!r}")
        name = (match["name"] or "").strip("\"'")
        arn = _ARN.fullmatch(name)
        found.append((match["state"] or match["word"] or match["sign"], arn[1] if arn else name))
        at = match.end()
    return found
