"""Carries out what `decision` decides: starts a training, remembers a request, or skips it and says so."""

from datetime import UTC, datetime
from functools import partial

import aws
import records
from botocore.exceptions import ClientError
from decision import ALARM_TRIGGERS, Decision, Nothing, Remember, Skip, Start, decide
from records import Asked
from settings import Settings
from shared.alerts import Alert, send_alert
from shared.executions import Execution, Request
from shared.messages import Outcome
from shared.records import send_refusal
from shared.settings import ENVIRONMENT

_STARTED = {"RetrainStarted": 1, "RetrainNotStarted": 0}


class TrainingEndedError(Exception):
    """The running training ended while a request was written to it, twice; the message has to be delivered again."""


def handle_request(model: str, settings: Settings, request: Request | None, asked: Asked) -> Outcome:
    """Act on a request for a training, or without one on the end of a training. Safe to repeat at any point.

    Raises TrainingEndedError, and errors of AWS.
    """
    for _ in range(2):
        match _decide(settings, request):
            case Start(wanted):
                return _start(model, settings, wanted, asked)
            case Skip() as skip:
                return _skip(model, skip, asked)
            case Remember(execution, follow_up) as remember:
                _remember(model, execution, follow_up, asked)
                # The event about its end may have been handled before, when the list was older than the event.
                if _is_running(settings, execution):
                    return Outcome("training remembered", {"reason": remember.reason, "execution": execution.arn})
            case Nothing(reason, answered):
                if answered:  # an earlier attempt may have failed between the start and its counts
                    aws.put_counts(model, _STARTED)
                return Outcome("nothing to start", {"reason": reason})
    raise TrainingEndedError("the training that was in flight ended meanwhile")


def check_start(model: str, settings: Settings, execution: str) -> Outcome:
    """Alert when a training that started, in whatever way, is not the only one in flight."""
    running = [each.arn for each in aws.list_executions(settings.training_pipeline) if each.running]
    if execution in running and len(running) > 1:
        others = [arn for arn in running if arn != execution]
        send_alert(_two_in_flight(model, execution, others))
        return Outcome("two trainings are in flight", {"execution": execution, "others": others})
    return Outcome("a training is in flight", {"execution": execution})


def _decide(settings: Settings, request: Request | None) -> Decision:
    return decide(
        request,
        aws.list_executions(settings.training_pipeline),
        partial(aws.newest_data, settings.raw_uri),
        settings.retrain,
        datetime.now(UTC),
        settings.promoted_from,
    )


def _is_running(settings: Settings, execution: Execution) -> bool:
    listed = aws.list_executions(settings.training_pipeline)
    return any(each.running for each in listed if each.arn == execution.arn)


def _start(model: str, settings: Settings, request: Request, asked: Asked) -> Outcome:
    record = records.started(model, request, asked)
    try:
        execution = aws.start_training(settings.training_pipeline, request)
    except ClientError as error:
        send_refusal(record, "the training was not started", error)
        raise
    aws.put_counts(model, _STARTED)
    return Outcome("training started", {"execution": execution, "reason": request.reason})


def _remember(model: str, execution: Execution, follow_up: Request, asked: Asked) -> None:
    record = records.remembered(model, follow_up, asked, execution)
    try:
        aws.set_follow_up(execution, follow_up)
    except ClientError as error:
        send_refusal(record, "the request was not remembered", error)
        raise


def _skip(model: str, skip: Skip, asked: Asked) -> Outcome:
    records.skipped(model, skip.request, asked, skip.reason)
    # Without new datapoints the alarm on RetrainNotStarted keeps its state until a training starts.
    not_started = {"RetrainNotStarted": 1} if skip.notify and skip.request.kind in ALARM_TRIGGERS else {}
    aws.put_counts(model, {"RetrainSkipped": 1, **not_started})
    if skip.notify:
        send_alert(_not_started(model, skip))
    for execution in skip.forget:
        aws.set_follow_up(execution, None)
    return Outcome("training skipped", {"reason": skip.reason})


def _not_started(model: str, skip: Skip) -> Alert:
    kind = skip.request.kind
    asked = (
        f"The {kind} alarm of {model}" if kind in ALARM_TRIGGERS else f"A request ({kind}) for a training of {model}"
    )
    return Alert(
        model=model,
        cause="retrain-not-started",
        what=f"{asked} started no training.",
        why=f"{skip.reason}. The request was: {skip.request.reason}",
        command=f"model-factory retrain {model} --env {ENVIRONMENT}",
    )


def _two_in_flight(model: str, new: str, others: list[str]) -> Alert:
    return Alert(
        model=model,
        cause="two-trainings-in-flight",
        what=f"Two trainings of {model} run at the same time.",
        why=f"{new} was started while {', '.join(others)} had not ended: by a person, or between a look and a start.",
        done="Both go on. Each new version is compared with the live one.",
        command=f"aws sagemaker stop-pipeline-execution --pipeline-execution-arn {new}",
    )
