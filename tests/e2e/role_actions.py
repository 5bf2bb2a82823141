"""Use every permission of the factory's roles once, also those of failures, stops and deletions."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from local_aws.bootstrap import cdk
from model_factory.ops.local.demo.traffic import Traffic
from model_factory.ops.operations.executions import follow
from model_factory.ops.operations.scoring import score
from model_factory.ops.operations.trigger import send_manual_trigger
from model_factory.ops.reproduction.rebuild import rebuild
from model_factory.ops.reproduction.recorded import find
from model_factory.ops.waiting import wait_for

from .conftest import ROOT, Factory, records
from .failing_messages import (
    fail_event_targets,
    publish_record_that_is_missing,
    send_message_that_fails,
    send_record_again,
    send_record_that_fails,
)
from .scoring import land, next_run, send_event

TIMEOUT_SECONDS = 300
INPUTS = ["x", "y", "colour"]


def exercise_all_roles(prod: Factory) -> None:
    """Skip, retrain by drift, fail and stop in prod; recover a failed endpoint, destroy and redeploy in dev."""
    prod.run_schedule("retrain")
    wait_for("the reason for the skip", lambda: "no new data" in prod.retrain_log() or None, TIMEOUT_SECONDS)
    for queue in ("retrain", "deploy", "score"):
        send_message_that_fails(prod, queue)
    score_files(prod)
    send_record_that_fails(prod)
    send_record_again(prod)
    publish_record_that_is_missing(prod)
    first = retrain_by_drift(prod)
    reject_in_console(prod, first)
    reproduce(prod, first)
    fail_training(prod)
    stopped = stop_training_with_follow_up(prod, "Prepare")
    stop_execution(prod, "train", "Train", after=stopped)
    stop_execution(prod, "monitor", "Monitor")
    fail_event_targets(prod)
    prod.sign_heads()
    dev = replace(prod, session=prod.session.project.environment("dev"))
    replace_failed_endpoint(dev)
    wait_for("the lineage of the endpoint", lambda: endpoint_contexts(dev) or None, TIMEOUT_SECONDS)
    destroy_and_redeploy(dev)
    wait_for("the end of its lineage", lambda: not endpoint_contexts(dev) or None, TIMEOUT_SECONDS)
    check_without_endpoint(dev)


def score_files(factory: Factory) -> None:
    """Score a file that landed, during which another one lands, and a file on request; stop a run of a schedule."""
    factory.client("logs").delete_log_group(logGroupName="/aws/sagemaker/ProcessingJobs")
    pipeline, session = factory.names.scoring_pipeline, factory.session
    before = factory.newest_execution(pipeline)
    land(factory, records(20), "a.csv")
    send_event(factory, "data")
    running = wait_for_step(factory, pipeline, "Score", before)
    land(factory, records(20), "b.csv")
    send_event(factory, "data")
    assert follow(session, running, TIMEOUT_SECONDS, lambda _: None).status == "Succeeded"
    send_event(factory, "ended")
    assert next_run(factory, running).status == "Succeeded"
    rows = factory.root / "rows.csv"
    records(20).to_csv(rows, index=False)
    assert score(session, factory.model, str(rows), None, lambda _: None).lineage["rows"] == 20
    land(factory, records(20_000), "c.csv")  # its run must not end before it is stopped
    before = factory.newest_execution(pipeline)
    factory.create_schedule("score-now", pipeline)
    factory.control("tick", schedule="score-now", time=datetime.now(UTC).isoformat())
    stop_running(factory, wait_for_step(factory, pipeline, "Score", before))
    factory.client("scheduler").delete_schedule(Name="score-now")


def endpoint_contexts(factory: Factory) -> list[object]:
    """Lineage contexts of the model's endpoint."""
    uri = factory.session.names.arn("sagemaker", f"endpoint/{factory.names.endpoint}")
    return factory.client("sagemaker").list_contexts(SourceUri=uri)["ContextSummaries"]


def fail_training(factory: Factory) -> None:
    """A training on invalid data fails and sends a notification."""
    factory.upload_records(records(200).drop(columns="colour"), "2026-12-01")
    assert factory.retrain("bad data").status == "Failed"
    factory.delete_records("2026-12-01")


def reject_in_console(factory: Factory, version: int) -> None:
    """Reject a version that is no longer live as SageMaker's console does; wait for its record."""
    names, s3 = factory.names, factory.client("s3")
    arn = factory.session.names.arn("sagemaker", f"model-package/{names.model_package_group}/{version}")
    factory.client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    bucket, prefix = factory.session.names.bucket("records"), f"{factory.model}/index/rejection/"
    wait_for(
        "the record of the rejection",
        lambda: s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents"),
        TIMEOUT_SECONDS,
    )


def retrain_by_drift(factory: Factory) -> int:
    """Send drifted requests and labels, run the monitor, and wait for the training and the deployment that it starts.

    Returns the version that was live before.
    """
    old, started = factory.reader.live_version(), datetime.now(UTC)
    assert old
    data = records(2000, seed=77, shift=3.0)
    factory.upload_records(data, "2026-11-20")
    Traffic(factory.client("sagemaker-runtime"), factory.names.endpoint, INPUTS).send(data)
    factory.control("flush")
    factory.upload_labels("inference_id,sold\nnobody,1\n")
    training, monitor = (
        factory.newest_execution(factory.names.training_pipeline),
        factory.newest_execution(factory.names.monitor_pipeline),
    )
    # As in an account without processing jobs: the monitor has to create the log group.
    factory.client("logs").delete_log_group(logGroupName="/aws/sagemaker/ProcessingJobs")
    factory.run_schedule("monitor")
    monitored = factory.wait_for_next_execution(factory.names.monitor_pipeline, monitor, TIMEOUT_SECONDS)
    assert monitored.status == "Succeeded", monitored.reason
    finished = factory.wait_for_next_execution(factory.names.training_pipeline, training, TIMEOUT_SECONDS)
    assert finished.status == "Succeeded", finished.reason
    wait_for("the new version", lambda: factory.reader.newer_version(old, started), TIMEOUT_SECONDS)
    return old


def stop_training_with_follow_up(factory: Factory, step: str) -> str:
    """Stop a training in `step`, after another one was requested that its end starts; the ARN of the stopped one."""
    before = factory.newest_execution(factory.names.training_pipeline)
    send_manual_trigger(factory.session, "retrain", factory.model, f"to be stopped in {step}")
    running = wait_for_step(factory, factory.names.training_pipeline, step, before)
    send_manual_trigger(factory.session, "retrain", factory.model, "follow-up")
    remembered = "the request is remembered"
    wait_for("the follow-up", lambda: remembered in factory.retrain_log() or None, TIMEOUT_SECONDS)
    stop_running(factory, running)
    return running


def reproduce(factory: Factory, version: int) -> None:
    """Train a version again, in an account without logs of processing jobs; then stop it in each job."""
    names, sagemaker = factory.names, factory.client("sagemaker")
    factory.client("logs").delete_log_group(logGroupName="/aws/sagemaker/ProcessingJobs")
    recorded = find(factory.session, factory.model, version)
    assert recorded.artifact.evidence
    assert rebuild(factory.session, recorded, print)["verdict"] == "identical"
    for step in ("Prepare", "Train"):
        before = factory.newest_execution(names.rebuild_pipeline)
        sagemaker.start_pipeline_execution(PipelineName=names.rebuild_pipeline)
        stop_running(factory, wait_for_step(factory, names.rebuild_pipeline, step, before))


def stop_execution(factory: Factory, which: str, step: str, after: str | None = None) -> None:
    """Stop an execution while `step` runs, which stops the step's job.

    `after`: it is the one that follows this training by itself.
    """
    names = factory.names
    pipeline = names.training_pipeline if which == "train" else names.monitor_pipeline
    before = after or factory.newest_execution(pipeline)
    if which == "monitor":
        # Another scheduled time: with the same time SageMaker returns the previous execution.
        factory.run_schedule("monitor", datetime.now(UTC) + timedelta(days=1))
    stop_running(factory, wait_for_step(factory, pipeline, step, before))


def wait_for_step(factory: Factory, pipeline: str, step: str, before: str | None) -> str:
    """Wait until a newer execution than `before` runs the step; the ARN of the execution."""
    sagemaker = factory.client("sagemaker")

    def running() -> str | None:
        execution = factory.newest_execution(pipeline)
        if execution in (before, None):
            return None
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
        started = [s for s in steps if s["StepName"] == step and s["StepStatus"] == "Executing" and "Metadata" in s]
        return execution if started else None

    return wait_for(f"step {step}", running, TIMEOUT_SECONDS)


def stop_running(factory: Factory, execution: str) -> None:
    """Stop an execution and wait for its end."""
    token = uuid.uuid4().hex
    factory.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken=token)
    assert follow(factory.session, execution, TIMEOUT_SECONDS, lambda _: None).status == "Stopped"


def replace_failed_endpoint(factory: Factory) -> None:
    """The endpoint is Failed when the first version is deployed: the deploy function deletes and creates it."""
    sagemaker, names = factory.client("sagemaker"), factory.names
    account = factory.session.environment.account
    sagemaker.create_model(
        ModelName=f"{names.endpoint}-v0",
        ExecutionRoleArn=f"arn:aws:iam::{account}:role/{names.role('endpoint')}",
        PrimaryContainer={
            "Image": "image",
            "ModelDataUrl": f"s3://{factory.session.names.bucket('artifacts')}/none.tar.gz",
        },
    )
    variant = {"VariantName": "AllTraffic", "ModelName": f"{names.endpoint}-v0", "InstanceType": "ml.m5.large"}
    config = f"{names.endpoint}-v0"
    sagemaker.create_endpoint_config(
        EndpointConfigName=config, ProductionVariants=[variant | {"InitialInstanceCount": 1}]
    )
    sagemaker.create_endpoint(EndpointName=names.endpoint, EndpointConfigName=config)
    wait_for("the failure", lambda: factory.endpoint_status() == "Failed" or None, TIMEOUT_SECONDS)
    factory.upload_records(records(), "2026-11-01")
    finished = factory.retrain("first")
    assert finished.status == "Succeeded", finished.reason
    wait_for("version 1", lambda: factory.endpoint_status() == "InService" or None, TIMEOUT_SECONDS)


def destroy_and_redeploy(factory: Factory) -> None:
    """Destroying the model's stack deletes its endpoint and versions; the stack can be deployed again."""
    cdk(factory.local, ["destroy", factory.names.stack, "--force", "--app", str(factory.root / "cdk.out")], cwd=ROOT)
    assert factory.endpoint_status() == ""
    factory.deploy_again(factory.names.stack)


def check_without_endpoint(factory: Factory) -> None:
    """There is neither an endpoint nor an approved version: no check starts, and one that a person starts says so."""
    pipeline = factory.names.monitor_pipeline
    before = factory.newest_execution(pipeline)
    assert_no_check_starts(factory)
    factory.client("sagemaker").start_pipeline_execution(PipelineName=pipeline, ClientRequestToken=uuid.uuid4().hex)
    checked = factory.wait_for_next_execution(pipeline, before)
    assert checked.status == "Succeeded", checked.reason


def assert_no_check_starts(factory: Factory) -> None:
    """The schedule's function says why there is nothing to monitor, and starts no job."""
    before = factory.newest_execution(factory.names.monitor_pipeline)
    factory.run_schedule("monitor")
    logged = partial(factory.log_messages, f"{factory.session.names.prefix}-monitor")
    wait_for("why nothing is monitored", lambda: "nothing to monitor" in "\n".join(logged()), TIMEOUT_SECONDS)
    assert factory.newest_execution(factory.names.monitor_pipeline) == before


def destroy_environment(factory: Factory, name: str) -> None:
    """Destroying an environment with `removal: destroy` empties its buckets and deletes them."""
    session = factory.session.project.environment(name)
    buckets = [session.names.bucket(purpose) for purpose in ("data", "artifacts", "records", "logs")]
    s3 = session.client("s3")
    for bucket in buckets:
        for body in (b"1", b"2"):
            s3.put_object(Bucket=bucket, Key="sales/rows", Body=body)
        s3.delete_object(Bucket=bucket, Key="sales/rows")
    stacks = [session.names.model(factory.model).stack, session.names.foundation_stack]
    cdk(factory.local, ["destroy", *stacks, "--force", "--app", str(factory.root / "cdk.out")], cwd=ROOT)
    assert not {each["Name"] for each in s3.list_buckets()["Buckets"]} & {*buckets}
