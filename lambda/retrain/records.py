"""Audit records of the retrain function: a training is about to start, is remembered, or is skipped."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.executions import Execution, Request
from shared.records import Record, send_record


@dataclass(frozen=True)
class Asked:
    """Who sent the message that is handled, as SQS says, and when. It is the same at every attempt."""

    sender: str
    time: datetime


def started(model: str, request: Request, asked: Asked) -> Record:
    """A training is about to start. Its execution's name has the first id."""
    return _record(model, "started", request, asked, {})


def remembered(model: str, request: Request, asked: Asked, execution: Execution) -> Record:
    """The request is about to wait for the end of an execution; it may wait for another one later."""
    of = execution.arn.rpartition("/")[2]
    return _record(model, "remembered", request, asked, {"execution": execution.arn}, of=f"#{of}")


def skipped(model: str, request: Request, asked: Asked, reason: str) -> Record:
    """No training starts."""
    return _record(model, "skipped", request, asked, {"why": reason})


def _record(model: str, decision: str, request: Request, asked: Asked, more: dict[str, Any], *, of: str = "") -> Record:
    facts = {
        "decision": decision,
        "trigger": request.kind,
        "reason": request.reason,
        "requests": list(request.ids),
        "asked_by": asked.sender,
    }
    record = Record(
        kind="retrain",
        id=f"{decision}#{','.join(request.ids)}{of}",
        model=model,
        time=asked.time,
        by=asked.sender,
        facts=facts | more,
    )
    send_record(record)
    return record
