"""Findings, and the runner that turns a check's error into a finding of its own."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError

from ..project import UsageError

type Status = Literal["ok", "warning", "problem", "not checked"]

DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403")
THROTTLED = ("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown")
POLICY = "model-factory doctor --policy prints the permissions of this command"


@dataclass(frozen=True)
class Finding:
    """One fact about the account. `mend`: the command or console page that changes it; empty when nothing has to change."""

    status: Status
    check: str
    what: str
    mend: str = ""

    def to_json(self) -> dict[str, str]:
        """Values that `json.dumps` accepts."""
        return asdict(self)


@dataclass(frozen=True)
class Check:
    """A named check; `find` yields its findings, without the name."""

    name: str
    find: Callable[[], Iterable[tuple[Status, str, str]]]


def run_checks(checks: Iterable[Check]) -> Iterator[Finding]:
    """The findings of every check. An error ends its check only, with a finding that says why."""
    for check in checks:
        try:
            for status, what, mend in check.find():
                yield Finding(status, check.name, what, mend)
        except (ClientError, BotoCoreError, UsageError) as error:
            yield _not_checked(check.name, error)


def error_code(error: ClientError) -> str:
    """The error code of AWS's response."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _not_checked(check: str, error: Exception) -> Finding:
    code = error_code(error) if isinstance(error, ClientError) else ""
    if code in DENIED:
        return Finding("not checked", check, str(error), POLICY)
    if code in THROTTLED:
        return Finding("not checked", check, f"AWS throttled the requests: {error}", "run the command again later")
    return Finding("not checked", check, str(error), "")
