"""Runs of a scoring pipeline: which is in flight, and which has to be followed by another one.

Messages about one model are handled one after the other, so between a look and a start there is no other start of this function.
A schedule or a person may start a run at the same time: both score the same files then, and each prediction is written once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.clients import client
from shared.executions import RUNNING
from shared.messages import Outcome

NAME = "data"
REQUEST = "request"
"""Beginnings of the names of executions: those that this function starts, and those that score a person's file."""
FOLLOW = "files landed while it ran: another run follows"
_NEWEST = 100


def handle_event(pipeline: str, event: str, message_id: str) -> Outcome:
    """Start a run for new files, unless one is in flight: that one is marked, and its end starts the next."""
    runs = [each for each in _newest(pipeline) if not each.get("PipelineExecutionDisplayName", "").startswith(REQUEST)]
    running = next((each for each in runs if each["PipelineExecutionStatus"] in RUNNING), None)
    if running:
        if event == "data":
            _mark(running)
        return Outcome("a run is in flight", {"execution": running["PipelineExecutionArn"]})
    if event == "ended" and not _is_marked(runs):
        return Outcome("no files landed while the run was in flight")
    started = client("sagemaker").start_pipeline_execution(
        PipelineName=pipeline,
        # 32 characters at least; the id of an SQS message has 36.
        ClientRequestToken=f"score-{message_id:0>26}",
        PipelineExecutionDisplayName=f"{NAME}-{message_id}",
    )
    return Outcome("a run is started", {"execution": started["PipelineExecutionArn"]})


def _newest(pipeline: str) -> Sequence[Mapping[str, Any]]:
    """Summaries of the newest runs, newest first."""
    return client("sagemaker").list_pipeline_executions(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=_NEWEST
    )["PipelineExecutionSummaries"]


def _mark(running: Mapping[str, Any]) -> None:
    if running.get("PipelineExecutionDescription") != FOLLOW:
        client("sagemaker").update_pipeline_execution(
            PipelineExecutionArn=running["PipelineExecutionArn"], PipelineExecutionDescription=FOLLOW
        )


def _is_marked(runs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether files landed during the newest run."""
    return bool(runs) and runs[0].get("PipelineExecutionDescription") == FOLLOW
