"""Alerts about failed builds: CodePipeline's event has the failed command only, the log has the reason."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from shared.alerts import Alert
from shared.build_log import read_last_lines
from shared.clients import client


def is_failed_build(event: dict[str, Any]) -> bool:
    """Whether this is CodePipeline's event of a failed build action."""
    return event.get("detail-type") == "CodePipeline Action Execution State Change"


def failed_build_alert(event: dict[str, Any]) -> Alert:
    """The alert about a failed build, with the last lines of its log; without them when the log cannot be read."""
    detail = event["detail"]
    result: dict[str, str] = detail.get("execution-result", {})
    return Alert(
        model="",
        cause=f"build-failed-{detail['execution-id']}",
        what=f"{detail['pipeline']} stopped in {detail['stage']} at {detail['action']} (execution {detail['execution-id']}).",
        why="\n".join(
            text
            for text in (
                result.get("external-execution-summary", "no reason given"),
                _log(result.get("external-execution-id", "")),
            )
            if text
        ),
        command="model-factory deliveries",
    )


def _log(build: str) -> str:
    if not build:
        return ""
    try:
        return read_last_lines(client("logs"), build)
    except (ClientError, BotoCoreError) as error:
        return f"The log of the build {build} cannot be read: {error}"
