"""Fixtures: the embedded AWS and each function on it; only containers do not run."""

import importlib
import sys
import threading
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import boto3
import botocore.client
import pytest
from botocore.exceptions import ClientError

from local_aws import direct
from local_aws.server import LocalAws

from .cloud import ACCOUNT, REGION, ROOT, Cloud, Function, import_path, policy
from .delivery_stages import make_stage
from .deployments import Deployments
from .published_records import CARD_KEY, Factory
from .recorded_events import Recorder
from .training_files import create_buckets, delete_buckets
from .trainings import Training


@pytest.fixture(scope="session")
def local(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "root",
            "AWS_SECRET_ACCESS_KEY": "root",
            "AWS_DEFAULT_REGION": REGION,
        }.items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        # Metrics of endpoints would be calls among those that tests count.
        patch.setattr("local_aws.sagemaker.hosting.runtime.FLUSH_SECONDS", 3600)
        with LocalAws(tmp_path_factory.mktemp("state")) as started:
            patch.setenv("AWS_ENDPOINT_URL", started.endpoint_url)
            trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
            for name in ("sagemaker", "sagemaker-2"):
                boto3.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
            boto3.client("cloudwatch").put_metric_alarm(
                AlarmName="endpoint-errors",
                Namespace="AWS/SageMaker",
                MetricName="Invocation5XXErrors",
                Statistic="Sum",
                Period=60,
                EvaluationPeriods=1,
                Threshold=1,
                ComparisonOperator="GreaterThanThreshold",
            )
            for name in ("acme-prod-retrain.fifo", "acme-prod-retrain-dead-letters.fifo", "acme-prod-recorder.fifo"):
                boto3.client("sqs").create_queue(QueueName=name, Attributes={"FifoQueue": "true"})
            yield started


@pytest.fixture
def cloud(local, monkeypatch):
    made = Cloud(local)
    # Endpoints stay in the state that the API sets; tests end a deployment themselves, and no container runs.
    monkeypatch.setattr(made.service.hosting, "deploy", lambda *_: None)
    return made


@pytest.fixture
def load(local, monkeypatch):
    """Load a function by its folder's name; its modules and clients are kept, as in a warm Lambda process."""
    for variable, value in {
        "FACTORY_ENVIRONMENT": "prod",
        "MODELS_PARAMETER_PREFIX": "/acme/prod/models/",
        "POWERTOOLS_METRICS_NAMESPACE": "ModelFactory",
        "POWERTOOLS_SERVICE_NAME": "test",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "QUEUE_URL": f"{local.endpoint_url}/{ACCOUNT}/acme-prod-retrain.fifo",
        "DEAD_LETTER_QUEUE_URL": f"{local.endpoint_url}/{ACCOUNT}/acme-prod-retrain-dead-letters.fifo",
        "MAX_RECEIVES": "5",
        "RECORDER_QUEUE_URL": f"{local.endpoint_url}/{ACCOUNT}/acme-prod-recorder.fifo",
    }.items():
        monkeypatch.setenv(variable, value)
    functions = []
    call = botocore.client.BaseClient._make_api_call

    def recorded(self, operation, parameters):
        for function in functions:
            if function.thread == threading.get_ident() and not direct.is_serving():
                function.calls.append((operation, parameters))
        return call(self, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", recorded)
    with ExitStack() as stack:

        def load(name):
            stack.enter_context(import_path(name))
            functions.append(Function(importlib.import_module("handler"), name.replace("_", "-")))
            return functions[-1]

        yield load


@pytest.fixture
def modules(monkeypatch):
    """Import modules of one function, such as `modules("deploy", "decision")`; by name."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "test")  # as `load`: a module's logger keeps the name
    with ExitStack() as stack:

        def modules(function, *names):
            stack.enter_context(import_path(function))
            return {name: importlib.import_module(name) for name in names}

        yield modules


@pytest.fixture
def delivery(modules):
    """The delivery function's modules by name, without the handler, which needs the stack's environment variables."""
    names = [path.stem for path in (ROOT / "lambda" / "delivery").glob("*.py") if path.stem != "handler"]
    return modules("delivery", *names, "shared.promotion")


@pytest.fixture
def stage(delivery, monkeypatch):
    return make_stage(delivery, monkeypatch)


@pytest.fixture
def retrain(load):
    return load("retrain")


@pytest.fixture
def training(cloud):
    return Training(cloud)


@pytest.fixture
def deploy(cloud, load):
    return Deployments(cloud, load("deploy"))


@pytest.fixture
def live(deploy):
    """The deploy function with version 1 in service."""
    deploy.register()
    deploy.send()
    deploy.end()
    deploy.cloud.forget_records()
    deploy.function.calls.clear()
    return deploy


@pytest.fixture
def dies(monkeypatch):
    """Make the next call of one operation end the function, before it or after it was carried out."""

    @contextmanager
    def dies(operation, carried_out, error=None, code="ValidationException"):
        call = botocore.client.BaseClient._make_api_call

        def ends(self, name, parameters):
            if name != operation:
                return call(self, name, parameters)
            if carried_out:
                call(self, name, parameters)
            if error:
                response = {"Error": {"Code": code, "Message": error}}
                raise ClientError(response | {"ResponseMetadata": {"HTTPStatusCode": 400}}, name)
            raise ConnectionError(name)

        with monkeypatch.context() as patch:
            patch.setattr(botocore.client.BaseClient, "_make_api_call", ends)
            yield

    return dies


def pytest_terminal_summary(terminalreporter):
    """Report the number of generated messages."""
    for name, module in list(sys.modules.items()):
        if name.endswith("test_invalid_messages") and module.CASES:
            counted = ", ".join(f"{number} {what}" for what, number in sorted(module.CASES.items()))
            terminalreporter.write_line(f"generated events: {module.CASES.total()} ({counted})")


@pytest.fixture
def s3(local):
    """S3 of the embedded AWS, with buckets for the files of a training: Moto's own mocks would empty it for other tests."""
    client = create_buckets()
    yield client
    delete_buckets(client)


@pytest.fixture
def recorder_modules(modules, monkeypatch):
    """Modules of the recorder."""
    monkeypatch.setenv("FACTORY_ENVIRONMENT", "prod")
    monkeypatch.setenv("MODELS_PARAMETER_PREFIX", "/acme/prod/models/")
    return SimpleNamespace(**modules("recorder", "store", "evidence", "sbom", "statement", "completion", "drafts"))


@pytest.fixture
def factory(cloud, load, monkeypatch):
    """The publisher, and the records that it publishes."""
    monkeypatch.setenv("RECORDS_BUCKET", cloud.bucket)
    monkeypatch.setenv("ARTIFACTS_BUCKET", cloud.bucket)
    monkeypatch.setenv("DATA_BUCKET", "data")
    monkeypatch.setenv("MODEL_CARD_KEY", CARD_KEY)
    function = load("publisher")
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    queue = cloud.client("sqs").create_queue(QueueName=f"{cloud.name}-publisher.fifo", Attributes=attributes)
    monkeypatch.setenv("QUEUE_URL", queue["QueueUrl"])
    return Factory(cloud, function)


@pytest.fixture
def recorder(cloud, load, modules, monkeypatch):
    """The recorder, which waits for no announced record."""
    monkeypatch.setenv("RECORDS_BUCKET", cloud.bucket)
    monkeypatch.setenv("ARTIFACTS_BUCKET", cloud.bucket)
    function = load("recorder")
    registry = modules("recorder", "registry")["registry"]
    monkeypatch.setattr(registry, "ANNOUNCED_SECONDS", 0.0)
    return Recorder(cloud, function)
