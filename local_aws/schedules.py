"""EventBridge schedules: checked when they are created, and fired on demand.

`POST /_local/tick` performs one invocation, or with `since` all that are due after it, as the time zone of the schedule has them.
"""

import json
import re
import uuid
from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

from botocore.exceptions import ClientError
from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend

from .arn import parse_arn
from .authorization import AccessDeniedError
from .eventbridge.expressions import valid_for_scheduler
from .eventbridge.times import cron_times
from .interfaces import EmbeddedAws
from .rules import clock


def tick(local: EmbeddedAws, schedule: str, account: str, region: str, time: datetime, group: str = "default") -> Any:
    """Fire a deployed schedule as of `time`; the target's answer. Raises LookupError when there is no such schedule."""
    found = _get(local, schedule, account, region, group)
    if found["State"] != "ENABLED":
        raise ValueError(f"schedule {schedule!r} is disabled")
    target = found["Target"]
    # Scheduler acts for a schedule's group (its user guide, 'Confused deputy prevention').
    source = f"{found['Arn'].rpartition(':')[0]}:schedule-group/{group}"
    local.authorization.take_role("scheduler.amazonaws.com", target["RoleArn"], source)
    context = {
        "schedule-arn": found["Arn"],
        "scheduled-time": time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": uuid.uuid4().hex,
        "attempt-number": "1",
    }
    payload = re.sub(r"<aws\.scheduler\.([a-z-]+)>", lambda match: context[match[1]], target.get("Input", "{}"))
    try:
        return _deliver(local, target, payload, region)
    except ClientError:
        # On AWS after the retries of the schedule's policy; here the caller of the tick also sees what was refused.
        if dead_letters := target.get("DeadLetterConfig", {}).get("Arn"):
            _send(local, dead_letters, target["RoleArn"], payload)
        raise


def due(
    local: EmbeddedAws,
    schedule: str,
    account: str,
    region: str,
    since: datetime,
    until: datetime,
    group: str = "default",
) -> list[datetime]:
    """The times after `since` and up to `until` at which EventBridge Scheduler invokes a schedule with a cron expression.

    Raises LookupError when there is no such schedule, and ValueError for another kind of expression.
    """
    found = _get(local, schedule, account, region, group)
    if not found["ScheduleExpression"].startswith("cron("):
        raise ValueError(f"schedule {schedule!r} has no cron expression; leave `since` out")
    return cron_times(found["ScheduleExpression"], found.get("ScheduleExpressionTimezone") or "UTC", since, until)


def _get(local: EmbeddedAws, schedule: str, account: str, region: str, group: str) -> dict[str, Any]:
    scheduler = local.accounts.client("scheduler", account, region)
    try:
        return scheduler.get_schedule(Name=schedule, GroupName=group)
    except scheduler.exceptions.ResourceNotFoundException:
        raise LookupError(f"account {account} has no schedule {schedule!r} in {region}") from None


def _send(local: EmbeddedAws, queue_arn: str, role: str, payload: str, **more: str) -> Any:
    _, region, account, name = parse_arn(queue_arn)
    sqs = local.accounts.role_client("sqs", role, region)
    return sqs.send_message(QueueUrl=f"{local.endpoint_url}/{account}/{name}", MessageBody=payload, **more)


def _deliver(local: EmbeddedAws, target: dict[str, Any], payload: str, region: str) -> Any:
    arn, role = target["Arn"], target["RoleArn"]
    if arn.startswith("arn:aws:scheduler:::aws-sdk:"):
        service, action = arn.split(":")[-2:]
        client = local.accounts.role_client(service, role, region)
        operation = re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()
        return getattr(client, operation)(**json.loads(payload))
    service, target_region, _, _ = parse_arn(arn)
    if service == "sqs":
        group = target.get("SqsParameters", {}).get("MessageGroupId")
        return _send(local, arn, role, payload, **({"MessageGroupId": group} if group else {}))
    if service == "lambda":
        client = local.accounts.role_client("lambda", role, target_region)
        return client.invoke(FunctionName=arn, InvocationType="Event", Payload=payload.encode())["StatusCode"]
    raise ValueError(f"the embedded AWS cannot deliver a schedule to {arn}")


def _checked(operation: Any) -> Any:
    """CreateSchedule or UpdateSchedule, with the refusals of EventBridge Scheduler that moto leaves out."""

    def call(self: Any, *arguments: Any, **more: Any) -> Any:
        expression, timezone = more["schedule_expression"], more.get("schedule_expression_timezone")
        if not valid_for_scheduler(expression):
            raise ValidationException(f"Invalid Schedule Expression {expression}.")
        if timezone and timezone not in available_timezones():
            raise ValidationException(f"Invalid Schedule Expression Timezone {timezone}.")
        return operation(self, *arguments, **more)

    return call


def install(local: EmbeddedAws) -> None:
    """Check schedules; serve `POST /_local/tick {schedule, account, region, time?, group?, since?}`."""
    for operation in ("create_schedule", "update_schedule"):
        checked = _checked(getattr(EventBridgeSchedulerBackend, operation))
        local.replace(EventBridgeSchedulerBackend, operation, checked)

    def control(body: dict[str, Any]) -> Any:
        time = _time(body["time"]) if body.get("time") else datetime.now(UTC)
        where = (body["schedule"], body["account"], body["region"])
        group = body.get("group", "default")
        clock.pass_to(time)
        try:
            if since := body.get("since"):
                times = due(local, *where, _time(since), time, group)
                for each in times:
                    tick(local, *where, each, group)
                return [each.isoformat() for each in times]
            return tick(local, *where, time, group)
        except (AccessDeniedError, ClientError) as error:
            raise ValueError(f"schedule {body['schedule']!r} was not delivered: {error}") from error

    local.on_stop(clock.reset)
    local.stores.add("clock", clock.ahead, clock.restore)
    local.control("tick", control)


def _time(text: str) -> datetime:
    """An ISO 8601 time; without an offset it is UTC."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
