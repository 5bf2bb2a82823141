"""Executions of the training pipeline: statuses, and the requests for trainings that their names and descriptions carry.

A name is `<kind>-retrain-<request>`. A description is the reason, then ` | answers <request>,…` when the training answers
further requests, then ` | follow-up <kind> <request>,…: <reason>` while requests wait for its end. A request's id is that of
its SQS message.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .triggers import LONGEST_DESCRIBED_REASON

RUNNING = ("Executing", "Stopping")
"""Statuses of an execution that has not ended."""
MOST_REQUESTS = 12
"""Ids that a description has room for twice: with two reasons they stay below SageMaker's 3,072 characters."""

_ID = r"[0-9A-Za-z-]{1,64}"
_IDS = rf"{_ID}(?:,{_ID})*"
_ANSWERS = re.compile(rf" \| answers ({_IDS})$")
_FOLLOW_UP = re.compile(rf" \| follow-up (schedule|drift|quality|manual|code) ({_IDS}): (.*)$", re.DOTALL)
_NAME = re.compile(rf"([a-z]+)-retrain-({_ID})")


@dataclass(frozen=True)
class Request:
    """One or more requests for a training that one training answers.

    Args:
        kind: The trigger: schedule, drift, quality, manual or code.
        reason: The reasons, at most 1,000 characters.
        ids: Ids of the requests, oldest first.
    """

    kind: str
    reason: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Description:
    """The parts of an execution's description."""

    reason: str = ""
    answers: tuple[str, ...] = ()
    follow_up: Request | None = None

    @classmethod
    def parse(cls, text: str) -> "Description":
        """The parts of `text`. A text of another form is a reason."""
        follow_up, answers = None, ()
        if found := _FOLLOW_UP.search(text):
            follow_up = Request(found[1], found[3], tuple(found[2].split(",")))
            text = text[: found.start()]
        if found := _ANSWERS.search(text):
            answers = tuple(found[1].split(","))
            text = text[: found.start()]
        return cls(text, answers, follow_up)

    def __str__(self) -> str:
        """The text; the reason has no ` | `, which separates the parts."""
        text = _without_separator(self.reason)
        if self.answers:
            text += f" | answers {_joined(self.answers)}"
        if waiting := self.follow_up:
            text += f" | follow-up {waiting.kind} {_joined(waiting.ids)}: {_without_separator(waiting.reason)}"
        return text


@dataclass(frozen=True)
class Execution:
    """A summary of ListPipelineExecutions: what started the execution, and what is to follow its end.

    Args:
        arn: ARN of the execution.
        status: Such as Executing.
        started: Start, UTC.
        trigger: Kind of the trigger. Empty for an execution that our function did not start.
        requests: Ids of the requests that it answers.
        description: Parts of the description.
    """

    arn: str
    status: str
    started: datetime
    trigger: str = ""
    requests: frozenset[str] = frozenset()
    description: Description = field(default_factory=Description)

    @classmethod
    def of(cls, summary: Mapping[str, Any]) -> "Execution":
        """The execution of a summary."""
        name = _NAME.fullmatch(summary.get("PipelineExecutionDisplayName", ""))
        description = Description.parse(summary.get("PipelineExecutionDescription", ""))
        return cls(
            arn=summary["PipelineExecutionArn"],
            status=summary["PipelineExecutionStatus"],
            started=summary["StartTime"],
            trigger=name[1] if name else "",
            requests=frozenset([name[2], *description.answers] if name else ()),
            description=description,
        )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.status in RUNNING


def _joined(ids: tuple[str, ...]) -> str:
    return ",".join(ids[:MOST_REQUESTS])


def _without_separator(reason: str) -> str:
    return reason.replace(" | ", "; ")[:LONGEST_DESCRIBED_REASON]
