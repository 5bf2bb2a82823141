"""Messages, records and events that cannot be handled: they are retried, and end in a dead-letter queue."""

import json
import uuid
from datetime import UTC, datetime, timedelta

from model_factory.functions.shared.chain import record_key
from model_factory.functions.shared.records import Record, RecorderQueue, send_record
from model_factory.ops.waiting import wait_for

from .conftest import Factory
from .scoring import without_delay

TIMEOUT_SECONDS = 300


def send_message_that_fails(factory: Factory, queue: str) -> None:
    """A message of a model whose settings are invalid is retried, and then moved to the dead-letter queue."""
    sqs, ssm, names = factory.client("sqs"), factory.client("ssm"), factory.session.names
    parameter = f"{names.models_parameter_prefix}broken"
    ssm.put_parameter(Name=parameter, Value="{}", Type="String")
    try:
        url = sqs.get_queue_url(QueueName=names.queue(queue))["QueueUrl"]
        message = {"model": "broken", "trigger": "manual", "reason": "invalid settings", "id": uuid.uuid4().hex}
        if queue == "score":
            message = {"model": "broken", "event": "data"}
            without_delay(factory)
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message), MessageGroupId="broken")
        factory.receive_message(names.dead_letter_queue(queue))
    finally:
        ssm.delete_parameter(Name=parameter)


def send_record_that_fails(factory: Factory) -> None:
    """A record that cannot be written is retried, and then moved to the dead-letter queue."""
    names = factory.session.names
    factory.local.post("faults", action="throttle", service="s3", operation="PutObject", role=names.role("recorder"))
    try:
        queue = RecorderQueue.of(factory.session, names.prefix)
        send_record(Record("deletion", "a record that fails"), queue)
        factory.receive_message(names.dead_letter_queue("recorder"))
    finally:
        factory.local.faults.control({}, "clear")


def send_record_again(factory: Factory) -> None:
    """An event that SQS takes for two messages is recorded once."""
    queue = RecorderQueue.of(factory.session, factory.session.names.prefix)
    for time in (datetime.now(UTC), datetime.now(UTC) - timedelta(minutes=6)):
        body = {"id": "again", "kind": "deletion", "time": time.isoformat(), "model": "", "facts": {}, "evidence": {}}
        queue.sqs.send_message(
            QueueUrl=queue.url,
            MessageBody=json.dumps(body | dict.fromkeys(("version", "subject", "by"))),
            MessageGroupId="_environment",
            MessageDeduplicationId=uuid.uuid4().hex,
        )
    log = "recorded before"
    wait_for(log, lambda: log in "".join(factory.log_messages("recorder")) or None, TIMEOUT_SECONDS)


def publish_record_that_is_missing(factory: Factory) -> None:
    """A record that cannot be read is retried, and then moved to the dead-letter queue."""
    names, sqs = factory.session.names, factory.client("sqs")
    event = {
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": names.account,
        "time": datetime.now(UTC).isoformat(),
        "detail": {"bucket": {"name": names.bucket("records")}, "object": {"key": record_key(factory.model, 999_999)}},
    }
    url = sqs.get_queue_url(QueueName=names.queue("publisher"))["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event), MessageGroupId="missing")
    factory.receive_message(names.dead_letter_queue("publisher"))


def fail_event_targets(factory: Factory) -> None:
    """A schedule of a deleted pipeline, and a rule whose target denies access, send to the queue of undelivered events."""
    scheduler, names = factory.client("scheduler"), factory.names
    factory.create_schedule("broken", f"{names.environment.prefix}-deleted-score")
    try:
        assert "deleted-score" in factory.control_error("tick", schedule="broken", time=datetime.now(UTC).isoformat())
    finally:
        scheduler.delete_schedule(Name="broken")
    sqs, events = factory.client("sqs"), factory.client("events")
    undelivered = names.environment.undelivered_queue
    factory.receive_message(undelivered)
    denied = sqs.create_queue(QueueName="denied")["QueueUrl"]
    rule, arn = f"{names.environment.prefix}-broken", names.environment.arn
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["test.broken"]}))
    dead_letters = {"Arn": arn("sqs", undelivered)}
    events.put_targets(
        Rule=rule, Targets=[{"Id": "denied", "Arn": arn("sqs", "denied"), "DeadLetterConfig": dead_letters}]
    )
    events.put_events(Entries=[{"Source": "test.broken", "DetailType": "Test", "Detail": "{}"}])
    factory.receive_message(undelivered)
    events.remove_targets(Rule=rule, Ids=["denied"])
    events.delete_rule(Name=rule)
    sqs.delete_queue(QueueUrl=denied)
    # Alarms on queues and functions publish to the topic themselves.
    for state in ("ALARM", "OK"):
        factory.client("cloudwatch").set_alarm_state(AlarmName=undelivered, StateValue=state, StateReason="test")
