"""The last lines of a failed build's log: what the command wrote before CodeBuild ended it."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

LINES = 12
LONGEST_LINE = 300
_EVENTS = 300
_PAGES = 3
_AGENT = "[Container] "
_FAILED = "Command did not exit successfully"
# Colours and other control sequences of terminals.
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_SECRETS = (
    (re.compile(r"(://)[^/\s@]+@"), r"\1***@"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), "***"),
    (
        re.compile(r"(?i)((?:password|passwd|secret|token|api[_-]?key|access[_-]?key)[\w-]*[\"']?\s*[=:]\s*)\S+"),
        r"\1***",
    ),
)


def read_last_lines(logs: Any, build: str) -> str:
    """The last lines of the log of a build, by its id `<project>:<uuid>`, with a client of CloudWatch Logs.

    At most LINES lines of LONGEST_LINE characters. Empty when the log has none yet. Raises ClientError.
    """
    project, _, stream = build.partition(":")
    request: dict[str, Any] = {"logGroupName": f"/aws/codebuild/{project}", "logStreamName": stream, "limit": _EVENTS}
    # The latest events come first, but a page may be empty although there are more.
    for _ in range(_PAGES):
        response = logs.get_log_events(**request)
        if response["events"]:
            return "\n".join(last_lines(event["message"] for event in response["events"]))
        request["nextToken"] = response["nextBackwardToken"]
    return ""


def last_lines(messages: Iterable[str]) -> Sequence[str]:
    """The last lines that the first failed command wrote; without a failed command, the last lines of the log."""
    lines = [line for message in messages for line in map(_readable, message.splitlines()) if line]
    end = next((index for index, line in enumerate(lines) if line.startswith(_AGENT) and _FAILED in line), len(lines))
    written = [line for line in lines[:end] if not line.startswith(_AGENT)]
    return (written or lines)[-LINES:]


def _readable(line: str) -> str:
    """Without control characters and what looks like a secret, and not longer than LONGEST_LINE."""
    line = _CONTROL.sub("", line).rstrip()
    for pattern, replacement in _SECRETS:
        line = pattern.sub(replacement, line)
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 3]}..."
