"""`model-factory forget`: what is deleted, what stays, and the record."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import boto3
import pytest

from model_factory.core.names import EnvironmentNames
from model_factory.functions.shared.chain import digest, index_key, lineage_key, record_key
from model_factory.functions.shared.executions import Execution
from model_factory.ops.commands import forgetting
from model_factory.ops.explanation.captures import Range
from model_factory.ops.forget import plan as planning
from model_factory.ops.forget.act import facts, forget
from model_factory.ops.forget.plan import plan_object, plan_request
from model_factory.ops.lineage.links import Link
from model_factory.ops.project import UsageError

from .chains import MemoryObjects, write

KEY = "churn/raw/dt=2026-11-01/ada.csv"
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Session:
    """An environment with moto's S3; its queue of the recorder keeps the messages."""

    def __init__(self, name: str) -> None:
        self.names = EnvironmentNames("acme", name, "123456789012", "us-east-1")
        self.environment = SimpleNamespace(name=name, removal="retain", captured_retention=None)
        self.caller_arn = "arn:aws:iam::123456789012:user/operator"
        self.project = SimpleNamespace(models={})
        self.s3 = boto3.client("s3", region_name="us-east-1")
        for purpose in ("data", "artifacts", "records"):
            self.s3.create_bucket(Bucket=self.names.bucket(purpose))
            self.s3.put_bucket_versioning(
                Bucket=self.names.bucket(purpose), VersioningConfiguration={"Status": "Enabled"}
            )
        self.sent: list[dict] = []

    def client(self, service: str):
        return {"s3": self.s3, "sagemaker": None, "sqs": self}[service]

    def get_queue_url(self, **_):
        return {"QueueUrl": "recorder"}

    def send_message(self, MessageBody, **_):
        self.sent.append(json.loads(MessageBody))

    def put(self, purpose: str, key: str, content: bytes = b"ada,1\n") -> None:
        self.s3.put_object(Bucket=self.names.bucket(purpose), Key=key, Body=content)

    def left(self, purpose: str) -> dict[str, bytes]:
        """Content of every object, old versions and delete markers included, by key and number."""
        found = self.s3.list_object_versions(Bucket=self.names.bucket(purpose))
        return {
            each["Key"]: each["VersionId"] for each in (*found.get("Versions", []), *found.get("DeleteMarkers", []))
        }


@pytest.fixture
def factory(aws, monkeypatch):
    """Environments dev, which trained version 3 on the object, and prod, to which it was promoted."""
    dev, prod = Session("dev"), Session("prod")
    uri = f"s3://{dev.names.bucket('data')}/{KEY}"
    dev.put("data", KEY)
    dev.put("data", KEY)
    dev.put("data", f"{KEY}.2")
    dev.s3.delete_object(Bucket=dev.names.bucket("data"), Key=KEY)
    for session, version in ((dev, 3), (prod, 3)):
        session.put("records", lineage_key(uri, "v1", "churn", "e1", version), b"")
    dev.put("records", lineage_key(uri, "v1", "churn", "e2", None), b"")
    for key in ("_rows/churn/e1/train/part-0.parquet", "churn/executions/e2/prepare/test/part-0.parquet",
                "churn/executions/e1/prepare/report/manifest.json", "_rows/churn/e3/train/part-0.parquet"):  # fmt: skip
        dev.put("artifacts", key)
    promoted = "churn/executions/promoted-1/prepare/test/part-0.parquet"
    prod.put("artifacts", promoted)
    objects = MemoryObjects()
    source = {"source": f"s3://{prod.names.bucket('artifacts')}/{promoted}", "sha256": "0"}
    (record,) = write(objects, "churn", {"kind": "registration", "version": 3, "facts": {"rows": {"test/0": source}}})
    for key in (record_key("churn", 1), index_key(record)):
        prod.put("records", key, objects.read(key) or b"")
    live = Link("version", "churn v3 in prod", facts={"served by": "acme-prod-churn"})
    found = {"dev": [], "prod": [live]}

    def forward(sessions, uri):
        planning.readings(sessions[0], uri)
        return found[sessions[0].environment.name]

    monkeypatch.setattr(planning, "forward", forward)
    monkeypatch.setattr(planning, "newest_executions", lambda *_: [])
    environments = [each.environment for each in (dev, prod)]
    project = SimpleNamespace(
        factory=SimpleNamespace(environments=environments), environment={"dev": dev, "prod": prod}.__getitem__
    )
    return SimpleNamespace(dev=dev, prod=prod, project=project, uri=uri)


def test_object_is_planned_with_rows_of_all_environments(factory):
    dev, prod = plan_object(factory.project, factory.uri, print)
    assert len(dev.versions) == 3
    assert {each.key for each in dev.versions} == {KEY}
    assert {each.key for each in dev.rows} == {
        "_rows/churn/e1/train/part-0.parquet", "churn/executions/e2/prepare/test/part-0.parquet"
    }  # fmt: skip
    assert [each.key for each in prod.rows] == ["churn/executions/promoted-1/prepare/test/part-0.parquet"]
    assert (dev.train_again, prod.train_again) == ([], ["churn v3 in prod"])


def test_forgotten_object_leaves_no_version_but_a_record(factory):
    for plan in plan_object(factory.project, factory.uri, print):
        forget(plan, "request 4711")
    assert set(factory.dev.left("data")) == {f"{KEY}.2"}
    assert set(factory.dev.left("artifacts")) == {
        "churn/executions/e1/prepare/report/manifest.json", "_rows/churn/e3/train/part-0.parquet"
    }  # fmt: skip
    assert factory.prod.left("artifacts") == {}
    (sent,) = factory.dev.sent
    assert (sent["kind"], sent["model"], sent["by"]) == ("forgetting", "churn", factory.dev.caller_arn)
    assert sent["facts"] == {
        "what": "object", "sha256": digest(factory.uri.encode()), "reason": "request 4711", "versions": 3,
        "files_of_rows": 2, "captured_requests": 0, "train_again": [], "trained": [],
    }  # fmt: skip
    assert "ada" not in json.dumps(sent)


def test_record_comes_before_the_deletion(factory, monkeypatch):
    (plan, _) = plan_object(factory.project, factory.uri, print)
    monkeypatch.setattr(Session, "send_message", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("refused")))
    with pytest.raises(RuntimeError, match="refused"):
        forget(plan, "request 4711")
    assert KEY in factory.dev.left("data")


def test_training_in_flight_is_named(factory, monkeypatch):
    running = {"PipelineExecutionArn": "arn:x", "PipelineExecutionStatus": "Executing", "StartTime": NOON}
    monkeypatch.setattr(planning, "newest_executions", lambda *_: [running])
    assert plan_object(factory.project, factory.uri, print)[0].in_flight == [Execution.of(running)]


@pytest.mark.parametrize("uri", ["s3://other/churn/raw/x", "s3://acme-dev-data-123456789012-us-east-1/churn/"])
def test_other_places_are_refused(factory, uri):
    with pytest.raises(UsageError, match="is no"):
        plan_object(factory.project, uri, print)


def line(inference_id: str) -> bytes:
    event = {"eventMetadata": {"inferenceId": inference_id, "inferenceTime": "2026-11-26T12:00:00Z", "eventId": "e"},
             "captureData": {"endpointInput": {"observedContentType": "text/csv", "data": "1", "encoding": "CSV"}}}  # fmt: skip
    return json.dumps(event).encode() + b"\n"


def test_captured_requests_are_taken_out_of_their_files(factory):
    folder = "churn/captured/acme-dev-churn/AllTraffic/2026/11/26/12"
    dev = factory.dev
    dev.put("data", f"{folder}/1.jsonl", line("ada") + line("bob") + line("ada") + line("ada-2"))
    dev.put("data", f"{folder}/2.jsonl", line("ada"))
    dev.put("data", f"{folder}/3.jsonl", line("bob"))
    (plan,) = plan_request(dev, "churn", "ada", Range(NOON, NOON))
    assert facts(plan, "request 4711")["captured_requests"] == 3
    forget(plan, "request 4711")
    found = dev.s3.list_object_versions(Bucket=dev.names.bucket("data"), Prefix="churn/captured/")
    assert [each["Key"].rpartition("/")[2] for each in found["Versions"]] == ["1.jsonl", "3.jsonl"]
    content = dev.s3.get_object(Bucket=dev.names.bucket("data"), Key=f"{folder}/1.jsonl")["Body"].read()
    assert content == line("bob") + line("ada-2")
    assert "DeleteMarkers" not in found


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either --data"),
        (["--data", "s3://b/churn/raw/x", "--yes"], "--yes needs --reason"),
        (["--data", "s3://b/churn/raw/x", "--retrain"], "--retrain is for --yes"),
        (["--data", "s3://b/churn/raw/x@null"], "all versions are forgotten"),
        (["--inference-id", "7"], "needs the model"),
        (["chur", "--inference-id", "7"], "did you mean 'churn'"),
    ],
)
def test_mistakes_in_options_are_named(run, project, arguments, message):
    code, _, error = run("forget", *arguments, "--project", str(project))
    assert code == 1
    assert message in error


def test_refused_training_is_an_error_after_the_others(monkeypatch, capsys):
    """`_retrain` is what the command does last."""
    asked = []

    def request_training(session, model, reason):
        asked.append(session.environment.name)
        if session.environment.name == "dev":
            raise UsageError("dev trains no versions")
        return SimpleNamespace(outlook="a training starts")

    monkeypatch.setattr("model_factory.ops.operations.trigger.request_training", request_training)
    sessions = [SimpleNamespace(environment=SimpleNamespace(name=name)) for name in ("dev", "prod")]
    plans = [SimpleNamespace(session=each, model="churn", train_again=["churn v3"]) for each in sessions]
    assert forgetting._retrain(plans, "request 4711") is False
    assert asked == ["dev", "prod"]
    assert forgetting._retrain(plans[1:], "request 4711") is True


def test_environment_that_is_not_deployed_is_said(factory, capsys):
    names = EnvironmentNames("acme", "staging", "123456789012", "us-east-1")
    staging = SimpleNamespace(names=names, environment=SimpleNamespace(name="staging"), client=factory.dev.client)
    every = factory.project.factory.environments
    project = SimpleNamespace(
        factory=SimpleNamespace(environments=[every[0], staging.environment, every[1]]),
        environment=lambda name: staging if name == "staging" else factory.project.environment(name),
    )
    said = []
    plans = plan_object(project, factory.uri, said.append)
    assert [each.session.environment.name for each in plans] == ["dev", "prod"]
    assert said == [f"staging is not deployed: there is no bucket {names.bucket('records')}"]
