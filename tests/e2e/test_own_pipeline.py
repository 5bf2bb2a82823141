"""A model with a pipeline of its own: deployed, trained, registered, approved, in service; its second training reuses a step."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from model_factory.ops.project import Project
from model_factory.ops.waiting import wait_for

from .auditor import auditor
from .completeness import assert_complete
from .sales import records
from .test_alarm_chain import retrain

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
MODEL = Path(__file__).parent / "own_pipeline" / "orders"


@pytest.fixture(scope="module")
def orders(live):
    """The model orders beside the project's own, with data and its first version in service; afterwards as before."""
    folder = live.root / "models" / MODEL.name
    shutil.copytree(MODEL, folder)
    factory = replace(live, model=MODEL.name)
    foundation = live.session.names.foundation_stack
    factory.deploy(foundation, factory.names.stack, output="cdk.out.own")
    factory.upload_records(records(), "2026-11-01")
    finished = factory.retrain("first")
    assert finished.status == "Succeeded", finished.reason
    wait_for("version 1", factory.reader.live_version)
    yield factory
    # At the end of the session, where every other model is checked, this one's folder is no longer there.
    assert_complete(Project(live.root))
    shutil.rmtree(folder)


def steps(factory) -> dict:
    arn = factory.newest_execution(factory.names.training_pipeline)
    listed = factory.client("sagemaker").list_pipeline_execution_steps(PipelineExecutionArn=arn)
    return {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}


def answers(factory, body: bytes) -> list[float]:
    answer = factory.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=factory.names.endpoint, ContentType="text/csv", Accept="text/csv", Body=body
    )
    return [float(line) for line in answer["Body"].read().split()]


def test_own_pipeline_is_in_service_with_its_lineage(orders, tmp_path, monkeypatch):
    likely, unlikely = answers(orders, b"2.0,1\n-3.0,0\n")
    assert likely > 0.9 > 0.1 > unlikely
    package = orders.reader.live_package()
    metadata = package["CustomerMetadataProperties"]
    assert (package["ModelApprovalStatus"], metadata["trigger"]) == ("Approved", "manual")
    registered = orders.record("registration", 1).record
    assert registered["evidence"]["code"]["sha256"] == metadata["code_digest"]
    assert "manifest" in registered["facts"]["missing"]
    for command, expected in (("status", (0, "orders  live")), ("lineage", (3, "the version names no manifest"))):
        with auditor(orders, tmp_path, monkeypatch, command) as run:
            code, text = run(orders.model)
            assert (code, expected[1] in text) == (expected[0], True), text


def test_new_files_train_again_and_equal_steps_are_reused(orders):
    execution = orders.newest_execution(orders.names.training_pipeline)
    orders.upload_records(records(seed=1), "2026-11-02")
    retrain(orders, "again")
    assert steps(orders)["Prepare"]["CacheHitResult"] == {"SourcePipelineExecutionArn": execution}


def test_version_below_the_pipelines_own_limit_is_rejected(orders):
    path = orders.root / "models" / orders.model / "model.yaml"
    path.write_text(path.read_text().replace("MinimumAccuracy: 0.7", "MinimumAccuracy: 0.999"))
    orders.deploy(orders.names.stack, output="cdk.out.own")
    finished = orders.retrain("too strict")
    assert (finished.status, finished.reason) == ("Failed", "the accuracy is below 0.999")


def test_selected_steps_register_what_failed_execution_trained(orders):
    failed, before = orders.newest_execution(orders.names.training_pipeline), orders.reader.live_version()
    orders.client("sagemaker").start_pipeline_execution(
        PipelineName=orders.names.training_pipeline,
        PipelineParameters=[{"Name": "MinimumAccuracy", "Value": "0.7"}],
        SelectiveExecutionConfig={
            "SourcePipelineExecutionArn": failed,
            "SelectedSteps": [{"StepName": "Gate"}, {"StepName": "Register"}],
        },
    )
    finished = orders.wait_for_next_execution(orders.names.training_pipeline, failed)
    assert finished.status == "Succeeded", finished.reason
    ran = {name for name, step in steps(orders).items() if "SelectiveExecutionResult" not in step}
    assert ran == {"Gate", "Register"}
    missing = orders.record("registration", before + 1).record["facts"]["missing"]
    assert not {"artifact", "code", "definition"} & set(missing)
