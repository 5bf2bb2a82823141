"""All that roles of the factory do, once: what neither a green run nor another test of this folder does is done here."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from local_aws.bootstrap import cdk
from model_factory.ops.local.demo.traffic import Traffic
from model_factory.ops.operations.trigger import send_manual_trigger
from model_factory.ops.waiting import wait_for

from .conftest import ROOT, Factory, records

SECONDS = 300
INPUTS = ["x", "y", "colour"]


def live_the_whole_loop(prod: Factory) -> None:
    """Skip, watch, drift, retrain and redeploy in prod; stop and fail there; begin badly and end in dev."""
    prod.tick("retrain")
    wait_for("the reason for the skip", lambda: "no new data" in prod.skipped_reasons() or None, SECONDS)
    refuse(prod)
    drift(prod)
    fail(prod)
    for pipeline, step in (("train", "Prepare"), ("train", "Train"), ("monitor", "Monitor")):
        stop_in(prod, pipeline, step)
    fail_to_deliver(prod)
    dev = replace(prod, session=prod.session.project.environment("dev"))
    begin_with_a_broken_endpoint(dev)
    destroy_and_deploy_again(dev)


def refuse(factory: Factory) -> None:
    """A message about a model that does not exist is tried again and then put aside."""
    sqs, names = factory.client("sqs"), factory.session.names
    url = sqs.get_queue_url(QueueName=names.queue("retrain"))["QueueUrl"]
    message = {"model": "nobody", "trigger": "manual", "reason": "a mistake", "id": uuid.uuid4().hex}
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message), MessageGroupId="nobody")
    factory.take_from(names.dead_letter_queue("retrain"))


def fail(factory: Factory) -> None:
    """A training on data that breaks the contract fails, which is told."""
    factory.land(records(200).drop(columns="colour"), "2026-12-01")
    assert factory.retrain("bad data").status == "Failed"
    factory.remove("2026-12-01")


def drift(factory: Factory) -> None:
    """A drifted day: captured, labelled, found by the monitor, told, retrained on, and deployed over the old version."""
    old, began = factory.reader.live_version(), datetime.now(UTC)
    data = records(2000, seed=77, shift=3.0)
    factory.land(data, "2026-11-20")
    Traffic(factory.client("sagemaker-runtime"), factory.names.endpoint, INPUTS).send(data)
    factory.post("flush")
    factory.label("inference_id,sold\nnobody,1\n")
    training, monitor = factory.newest(factory.names.training_pipeline), factory.newest(factory.names.monitor_pipeline)
    # As in an account where nothing has run before the monitor, which therefore makes the group.
    factory.client("logs").delete_log_group(logGroupName="/aws/sagemaker/ProcessingJobs")
    factory.tick("monitor")
    watched = factory.next_execution(factory.names.monitor_pipeline, monitor, SECONDS)
    assert watched.status == "Succeeded", watched.reason
    finished = factory.next_execution(factory.names.training_pipeline, training, SECONDS)
    assert finished.status == "Succeeded", finished.reason
    wait_for("the new version", lambda: factory.reader.newer_version(old, began), SECONDS)


def stop_in(factory: Factory, which: str, step: str) -> None:
    """Stop a pipeline while `step` runs: it stops the job."""
    sagemaker, names = factory.client("sagemaker"), factory.names
    pipeline = names.training_pipeline if which == "train" else names.monitor_pipeline
    before = factory.newest(pipeline)
    if which == "train":
        send_manual_trigger(factory.session, "retrain", factory.model, f"to be stopped in {step}")
    else:
        # A time of its own: the same time asks for the execution that there was.
        factory.tick("monitor", datetime.now(UTC) + timedelta(days=1))

    def running() -> str | None:
        execution = factory.newest(pipeline)
        if execution in (before, None):
            return None
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
        found = [s for s in steps if s["StepName"] == step and s["StepStatus"] == "Executing" and "Metadata" in s]
        return execution if found else None

    execution = wait_for(f"step {step}", running, SECONDS)
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken=uuid.uuid4().hex)
    assert factory.next_execution(pipeline, before, SECONDS).status == "Stopped"


def fail_to_deliver(factory: Factory) -> None:
    """A schedule whose pipeline is gone, and a rule whose target is closed, end in the queue of what was not delivered."""
    scheduler, names = factory.client("scheduler"), factory.names
    found = scheduler.get_schedule(Name=names.schedule("monitor"))
    nowhere = json.loads(found["Target"]["Input"]) | {"PipelineName": f"{names.environment.prefix}-gone-monitor"}
    scheduler.create_schedule(
        Name="nowhere",
        ScheduleExpression=found["ScheduleExpression"],
        FlexibleTimeWindow=found["FlexibleTimeWindow"],
        Target=found["Target"] | {"Input": json.dumps(nowhere)},
    )
    try:
        assert "gone-monitor" in factory.refused("tick", schedule="nowhere", time=datetime.now(UTC).isoformat())
    finally:
        scheduler.delete_schedule(Name="nowhere")
    sqs, events = factory.client("sqs"), factory.client("events")
    undelivered = names.environment.undelivered_queue
    factory.take_from(undelivered)
    closed = sqs.create_queue(QueueName="closed")["QueueUrl"]
    rule, to = f"{names.environment.prefix}-nowhere", names.environment.arn
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["nowhere"]}))
    letters = {"Arn": to("sqs", undelivered)}
    events.put_targets(Rule=rule, Targets=[{"Id": "closed", "Arn": to("sqs", "closed"), "DeadLetterConfig": letters}])
    events.put_events(Entries=[{"Source": "nowhere", "DetailType": "Test", "Detail": "{}"}])
    factory.take_from(undelivered)
    events.remove_targets(Rule=rule, Ids=["closed"])
    events.delete_rule(Name=rule)
    sqs.delete_queue(QueueUrl=closed)


def begin_with_a_broken_endpoint(factory: Factory) -> None:
    """The first version of an environment finds an endpoint that never came up: it is removed and made anew."""
    sagemaker, names = factory.client("sagemaker"), factory.names
    account = factory.session.environment.account
    sagemaker.create_model(
        ModelName=f"{names.endpoint}-v0",
        ExecutionRoleArn=f"arn:aws:iam::{account}:role/{names.role('endpoint')}",
        PrimaryContainer={"Image": "image", "ModelDataUrl": f"s3://{factory.session.names.bucket('artifacts')}/none"},
    )
    variant = {"VariantName": "AllTraffic", "ModelName": f"{names.endpoint}-v0", "InstanceType": "ml.m5.large"}
    config = f"{names.endpoint}-v0"
    sagemaker.create_endpoint_config(
        EndpointConfigName=config, ProductionVariants=[variant | {"InitialInstanceCount": 1}]
    )
    sagemaker.create_endpoint(EndpointName=names.endpoint, EndpointConfigName=config)
    wait_for("the failure", lambda: factory.endpoint_status() == "Failed" or None, SECONDS)
    factory.land(records(), "2026-11-01")
    finished = factory.retrain("first")
    assert finished.status == "Succeeded", finished.reason
    wait_for("version 1", lambda: factory.endpoint_status() == "InService" or None, SECONDS)


def destroy_and_deploy_again(factory: Factory) -> None:
    """The stack of the model goes with its endpoint and versions, and comes back."""
    deployed = ["--app", str(factory.root / "cdk.out")]
    cdk(factory.local, ["destroy", factory.names.stack, "--force", *deployed], cwd=ROOT)
    assert factory.endpoint_status() == ""
    cdk(factory.local, ["deploy", factory.names.stack, "--require-approval", "never", *deployed], cwd=ROOT)
