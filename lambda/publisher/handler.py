"""Handler of the publisher queue: each new record of a model is published to what other tools read.

It writes OpenLineage events (to the artifacts bucket, and to an HTTP endpoint if factory.yaml has one), the SageMaker Model Card
of the version, and SageMaker's lineage entities. Everything can be repeated: the same record again changes nothing.

A rule of EventBridge has one message group for all models. The function sends its messages on to the same queue, each in the
group of its model: one invocation at a time changes a model's card and entities, and no model waits for another one.

Needs s3:ListBucket below `*/index/` and `*/evidence/`, and s3:GetObject on `*/chain/*` and `*/evidence/*` in the records bucket;
s3:ListBucket and s3:GetObject for reports below `*/executions/*`, s3:PutObject on `_openlineage/*`, and with an HTTP endpoint
s3:GetObject there, in the artifacts bucket; the
actions of SageMaker for model cards and for lineage entities; ssm:GetParameter on the API key's parameter, if there is one;
kms:Decrypt, kms:GenerateDataKey, kms:DescribeKey and kms:CreateGrant on the environment's key; events:PutEvents for its
alerts; its queue, which it sends to as
well, and dead-letter queue; its log group.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from cards import KINDS as CARD_KINDS
from cards import Cards
from datasets import Files, folder
from entities import Entities
from events import EventWritten, ExecutionChanged, parse
from records import Record, Records
from runs import deployment, execution, registration, training
from shared.clients import client
from shared.messages import InvalidMessageError
from shared.queue import RefusedMessageError, origin_of, process_batch
from sinks import Http, Sink

logger = Logger()
type Part = tuple[str, Callable[[], object]]


def handler(event: dict[str, Any], context: Any) -> Any:
    """Handle a batch of SQS messages; failed ones return to the queue and finally move to the dead-letter queue."""
    return process_batch(event, context, handle)


def handle(record: SQSRecord, lambda_context: Any) -> None:
    """Publish what one message is about. Raises when it is invalid, or when SQS has to deliver it again."""
    logger.remove_keys(["model", "kind"])  # of the previous message
    bucket, origin = os.environ["RECORDS_BUCKET"], origin_of(lambda_context)
    try:
        message = parse(record.body, origin, bucket)
    except InvalidMessageError as error:
        raise RefusedMessageError(str(error)) from error
    if message is None:
        logger.info("the event is about no model of this environment")
        return
    if (record.attributes.message_group_id or "").startswith("_"):
        # Not by the body: the queue takes no body twice within five minutes.
        _to_queue(MessageBody=record.body, MessageGroupId=message.model, MessageDeduplicationId=record.message_id)
        return
    if isinstance(message, EventWritten):
        _send_event(message)
        return
    records = Records(client("s3"), bucket, os.environ["ARTIFACTS_BUCKET"])
    if isinstance(message, ExecutionChanged):
        _publish_execution(message)
        return
    found = records.read(message.key)
    logger.append_keys(model=found["model"], kind=found["kind"])
    _do_all(list(_parts(found, records, origin.prefix)))
    logger.info("published", key=message.key)


def _publish_execution(message: ExecutionChanged) -> None:
    captured = folder(os.environ["DATA_BUCKET"], f"{message.model}/captured")
    reports = folder(os.environ["ARTIFACTS_BUCKET"], f"{message.model}/monitor")
    if event := execution(message, captured, reports):
        sink = _sink(message.model)
        sink.write(event)
        sink.queue(event)
        logger.info("published", model=message.model, kind=f"{message.pipeline} {message.status}")


def _parts(record: Record, records: Records, prefix: str) -> Iterator[Part]:
    """What is to be done for a record, by name; nothing for a kind that nothing is published of."""
    kind, model, version = record["kind"], str(record["model"]), record["version"]
    cards = Cards(client("sagemaker"), records, prefix, os.environ["MODEL_CARD_KEY"])
    entities = Entities(client("sagemaker"), records, prefix)
    if kind in ("training", "registration", "deployment"):
        yield "OpenLineage events", lambda: _publish_events(record, records)
    if kind == "training" and (number := _registered(record)):
        yield "model card", lambda: cards.refresh(record, number)
    if kind in CARD_KINDS and version:
        yield "model card", lambda: cards.refresh(record, version)
    if kind == "registration":
        yield "lineage entities", lambda: entities.registered(record)
    if kind == "deployment":
        yield "lineage entities", lambda: entities.deployed(record)
    if kind == "deletion" and record["facts"].get("versions_deleted"):
        yield "model cards", lambda: cards.archive_all(model)
        yield "lineage entities", lambda: entities.deleted(record)


def _do_all(parts: list[Part]) -> None:
    """Do every part, whatever happens to the others; then raise the errors. A message is refused if no other error is left."""
    errors: list[Exception] = []
    for name, do in parts:
        try:
            do()
        except Exception as error:
            logger.exception("not published", what=name)
            error.add_note(name)
            errors.append(error)
    waiting = [error for error in errors if not isinstance(error, RefusedMessageError)]
    if errors:
        raise (waiting or errors)[0]


def _publish_events(record: Record, records: Records) -> None:
    model, sink = str(record["model"]), _sink(str(record["model"]))
    match record["kind"]:
        case "training":
            found = training(record, _files_of_training(record, records))
        case "registration":
            files = Files(
                folder="",
                manifest=records.evidence(record, "manifest"),
                statistics=records.evidence(record, "baseline/statistics.json"),
                evaluation=records.evidence(record, "evaluation"),
            )
            found = iter([registration(record, files, os.environ.get("REPOSITORY_URL", ""))])
        case _:
            found = deployment(record)
    written = [(event, sink.write(event)) for event in found]
    logger.info("OpenLineage events written", folder=f"_openlineage/{model}/")
    for event, is_new in written:
        # The start of a training has a message of its own, which sends it.
        if is_new or event.kind != "START" or event.run != record["subject"]:
            sink.queue(event)


def _send_event(message: EventWritten) -> None:
    """Send an event to the HTTP endpoint, unless factory.yaml has none any more."""
    if url := os.environ.get("OPENLINEAGE_URL"):
        _sink(message.model).send(message.key, Http(url, _api_key))
        logger.info("sent", model=message.model, key=message.key)


def _files_of_training(record: Record, records: Records) -> Files:
    model, execution = str(record["model"]), str(record["subject"])
    return Files(
        folder=f"s3://{records.artifacts}/{model}/executions/{execution.rpartition('/')[2]}",
        # A training that failed has evidence of what it read, or was about to read.
        manifest=records.evidence(record, "manifest")
        or records.evidence(record, "inputs")
        or records.training_file(model, execution, "prepare/report/manifest.json"),
        statistics=records.training_file(model, execution, "prepare/baseline/statistics.json"),
    )


def _registered(record: Record) -> int | None:
    """The version that an execution registered."""
    arns = [str(step.get("arn")) for step in record["facts"].get("steps", [])]
    return next((int(arn.rpartition("/")[2]) for arn in arns if ":model-package/" in arn), None)


def _sink(model: str) -> Sink:
    to_endpoint = _to_queue if os.environ.get("OPENLINEAGE_URL") else None
    return Sink(client("s3"), os.environ["ARTIFACTS_BUCKET"], model, to_endpoint)


def _to_queue(**message: str) -> None:
    client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], **message)


def _api_key() -> str:
    """The API key of the HTTP endpoint, read for each message: it can be replaced. Empty when factory.yaml names no parameter."""
    name = os.environ.get("OPENLINEAGE_KEY_PARAMETER")
    if not name:
        return ""
    return client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
