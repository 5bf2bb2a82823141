"""The publisher: what an event says, which files are read, and what an HTTP endpoint's answers mean. Without AWS."""

import io
import json
import urllib.error
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from .cloud import ACCOUNT

RECORD = "churn/chain/9999999998-1.json"
ARN = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:pipeline/acme-prod-churn-train/execution/4r8"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def publisher(recorder_modules, modules):
    loaded = modules("publisher", "events", "records", "sinks", "shared.messages", "shared.chain")
    return SimpleNamespace(**{name.rpartition(".")[2]: module for name, module in loaded.items()})


@pytest.fixture
def parse(publisher):
    """What an event says, or None and the reason for its refusal."""
    origin = publisher.messages.Origin(ACCOUNT, "acme-prod")

    def parse(**event):
        given = {"account": ACCOUNT, "time": "2026-11-25T13:00:00+01:00"} | event
        try:
            return publisher.events.parse(json.dumps(given), origin, "records"), ""
        except publisher.messages.InvalidMessageError as error:
            return None, str(error)

    return parse


def created(key, bucket="records"):
    return {"detail-type": "Object Created", "detail": {"bucket": {"name": bucket}, "object": {"key": key}}}


def test_record_is_found_by_its_key(publisher, parse):
    key = publisher.chain.record_key("churn", 7)
    assert parse(**created(key)) == (publisher.events.RecordWritten("churn", key), "")
    assert parse(**created(publisher.chain.record_key("", 7))) == (None, "")
    for wrong, reason in (
        ("churn/chain/soon.json", "detail.object.key: "),
        ("Churn" + key[5:], "it begins with no model's name"),
        ("c" * 1025, "at most 1024 characters"),
    ):
        assert reason in parse(**created(wrong))[1], wrong
    assert "at most" not in parse(**created("c" * 1024))[1]
    assert "not the records bucket" in parse(**created(key, "another"))[1]
    assert "another account" in parse(**created(key), account="1")[1]


@pytest.mark.parametrize("pipeline", ["train", "monitor", "score"])
@pytest.mark.parametrize("status", ["Executing", "Failed"])
def test_execution_has_its_start_and_the_time_of_its_change(publisher, parse, pipeline, status):
    detail = {"pipelineExecutionArn": ARN.replace("-train/", f"-{pipeline}/"), "currentPipelineExecutionStatus": status}
    changed = {"detail-type": "SageMaker Model Building Pipeline Execution Status Change"}
    started = "2026-11-25T11:00:00Z"
    found, reason = parse(**changed, detail=detail | {"executionStartTime": started})
    assert reason == ""
    if pipeline == "score":
        assert found is None
        return
    early = datetime.fromisoformat(started)
    assert (found.model, found.pipeline, found.execution) == ("churn", pipeline, detail["pipelineExecutionArn"])
    assert (found.status, found.started, found.time) == (status, early, early if status == "Executing" else NOON)
    without, _ = parse(**changed, detail=detail)
    assert (without.started, without.time) == (NOON, NOON)
    other = detail | {"pipelineExecutionArn": detail["pipelineExecutionArn"].replace(ACCOUNT, "9" * 12)}
    assert parse(**changed, detail=other) == (None, "")


def test_written_event_is_below_the_folder_of_its_model(publisher, parse):
    written = {"detail-type": "Model Factory OpenLineage Event Written", "model": "churn"}
    key = "_openlineage/churn/run/START.json"
    assert parse(**written, key=key) == (publisher.events.EventWritten("churn", key), "")
    assert "it is not below _openlineage/churn/" in parse(**written, key="_openlineage/fraud/run/START.json")[1]
    assert "at most 1024 characters" in parse(**written, key=key + "x" * 1024)[1]


class S3:
    """One object, or none."""

    def __init__(self, body, length=None):
        self.body, self.length = body, length

    def list_objects_v2(self, Bucket, Prefix, MaxKeys):
        self.asked = (Bucket, Prefix, MaxKeys)
        return {} if self.body is None else {"Contents": [{"Key": Prefix}]}

    def get_object(self, Bucket, Key):
        return {"Body": io.BytesIO(self.body), "ContentLength": len(self.body) if self.length is None else self.length}


@pytest.mark.parametrize(
    ("body", "length", "expected"),
    [
        (b'{"a": NaN}', None, {"a": None}),
        (b'{"a": 1}', 16 << 20, {"a": 1}),
        (b'{"a": 1}', (16 << 20) + 1, {}),
        (b"[1]", None, {}),
        (b"no json", None, {}),
        (None, None, {}),
    ],
)
def test_file_of_a_training_is_an_object_of_at_most_16_mib(publisher, body, length, expected):
    s3 = S3(body, length)
    records = publisher.records.Records(s3, "records", "artifacts")
    assert records.training_file("churn", ARN, "prepare/report/manifest.json") == expected
    assert s3.asked == ("artifacts", "churn/executions/4r8/prepare/report/manifest.json", 1)


@pytest.mark.parametrize(("size", "expected"), [(16 << 20, {"a": 1}), ((16 << 20) + 1, {})])
def test_evidence_is_read_by_its_digest(publisher, size, expected):
    s3 = S3(b'{"a": 1}')
    records = publisher.records.Records(s3, "records", "artifacts")
    record = {"model": "churn", "evidence": {"manifest": {"sha256": "0a", "size": size}}}
    assert records.evidence(record, "manifest") == expected
    assert records.evidence(record, "evaluation") == records.evidence({"model": "churn"}, "manifest") == {}
    if expected:
        assert s3.asked == ("records", publisher.chain.evidence_key("churn", "0a"), 1)


@pytest.mark.parametrize(
    ("status", "is_final"),
    [(302, False), (399, False), (400, True), (404, True), (408, False), (425, False), (429, False), (499, True), (500, False)],
)  # fmt: skip
@pytest.mark.parametrize("key", ["", "secret"])
def test_answer_of_endpoint_decides_about_another_attempt(publisher, monkeypatch, status, is_final, key):
    sinks, asked = publisher.sinks, []

    def answers(request, timeout):
        asked.append((request, timeout))
        raise urllib.error.HTTPError(request.full_url, status, "because", {}, None)

    monkeypatch.setattr(sinks, "_OPENER", SimpleNamespace(open=answers))
    with pytest.raises(sinks.NotSentError, match=f"https://e/ answers with {status} because") as raised:
        sinks.Http("https://e/", lambda: key).send(b"{}")
    assert isinstance(raised.value, sinks.NotAcceptedError) is is_final
    ((request, timeout),) = asked
    assert (request.method, request.data, timeout) == ("POST", b"{}", 5)
    assert request.get_header("Authorization") == ("Bearer secret" if key else None)


def test_endpoint_that_cannot_be_reached_is_tried_again(publisher, monkeypatch):
    def refuses(*_, **__):
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr(publisher.sinks, "_OPENER", SimpleNamespace(open=refuses))
    with pytest.raises(publisher.sinks.NotSentError, match="https://e/ cannot be reached: nobody listens") as raised:
        publisher.sinks.Http("https://e/", lambda: "").send(b"{}")
    assert not isinstance(raised.value, publisher.sinks.NotAcceptedError)
    assert raised.value.cause == "openlineage-endpoint"


@pytest.mark.parametrize("location", ["s3://artifacts/m/model.tar.gz", "https://elsewhere/model.tar.gz", None])
def test_version_has_the_location_of_its_artifact_in_s3(publisher, modules, location):
    datasets = modules("publisher", "datasets")["datasets"]
    containers = [{"ModelDataUrl": location}] if location else []
    record = {"facts": {"InferenceSpecification": {"Containers": containers}}}
    found = datasets.model_version("arn:aws:sagemaker:eu-west-1:1:model-package/acme-prod-churn/2", record)
    assert (found.namespace, found.name) == ("sagemaker://eu-west-1.1", "acme-prod-churn")
    assert found.measured == {}
    assert ("symlinks" in found.facets) is (location is not None and location.startswith("s3://"))
    assert datasets.folder("artifacts", "m/prepare").namespace == "s3://artifacts"


def test_event_is_written_with_its_members_in_order(publisher):
    put = []
    s3 = SimpleNamespace(put_object=lambda **request: put.append(request))
    content = {"b": "é", "a": 1}
    event = SimpleNamespace(to_dict=lambda: content, run_id="r", kind="START")
    assert publisher.sinks.Sink(s3, "artifacts", "churn").write(event)
    (request,) = put
    assert request["Key"] == "_openlineage/churn/r/START.json"
    assert request["Body"].decode() == '{\n "a": 1,\n "b": "é"\n}', "the same bytes whenever it is written"
    content["a"] = float("nan")
    with pytest.raises(ValueError, match="nan"):
        publisher.sinks.Sink(s3, "artifacts", "churn").write(event)


def test_training_without_objects_has_no_inputs(publisher, modules):
    datasets = modules("publisher", "datasets")["datasets"]
    assert datasets.training_inputs(datasets.Files(folder="")) == []


def test_records_of_a_version_are_those_with_its_number(publisher, monkeypatch):
    records = publisher.records.Records(None, "records", "artifacts")
    markers = {"approval": [(NOON, 1, 4), (NOON, 2, 5)], "deployment": [(NOON, 2, 9), (NOON, 0, 7)]}
    monkeypatch.setattr(publisher.records.Records, "markers", lambda _, model, kind: iter(markers[kind]))
    monkeypatch.setattr(publisher.records.Records, "of_sequence", lambda _, model, sequence: (model, sequence))
    assert list(records.of_version("churn", 2, ("approval", "deployment"))) == [("churn", 5), ("churn", 9)]
