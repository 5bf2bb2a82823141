"""The embedded AWS with one model per test, functions imported as Lambda imports them, and the events that services send."""

import io
import json
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import boto3
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from botocore.exceptions import ClientError
from moto.sqs.models import sqs_backends

ROOT = Path(__file__).parents[3]
EVENTS = Path(__file__).parent / "events"
ACCOUNT, REGION = "123456789012", "eu-west-1"
PREFIX = "acme-prod"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagemaker"
READS = ("Get", "List", "Describe", "Head")

_imported = {}
"""Modules of each function, kept as in a warm Lambda process."""


def event(name):
    """An event or message as its service sends it, fresh for every caller."""
    return json.loads((EVENTS / f"{name}.json").read_text())


def policy(*statements):
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def refused(code, status=400, message="because"):
    """The error of an operation that AWS refuses."""
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


def message(body, model="churn", **attributes):
    """An SQS record of a batch that Lambda receives."""
    return {
        "messageId": str(uuid.uuid4()),
        "receiptHandle": "handle",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(int(time.time() * 1000)),
            "SequenceNumber": "18849496460467696128",
            "MessageGroupId": model,
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "MessageDeduplicationId": "1",
            "ApproximateFirstReceiveTimestamp": "1795497689050",
        }
        | attributes,
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:acme-prod-retrain.fifo",
        "awsRegion": REGION,
    }


class Function:
    """An imported function, its log and its AWS calls."""

    def __init__(self, module, purpose):
        self.module, self._log = module, io.StringIO()
        module.logger.registered_handler.setStream(self._log)
        self.calls, self.thread = [], None
        self.context = SimpleNamespace(
            invoked_function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:acme-prod-{purpose}",
            function_name=f"acme-prod-{purpose}",
            memory_limit_in_mb=512,
            aws_request_id="request",
            log_stream_name="stream",
            get_remaining_time_in_millis=lambda: 60_000,
        )

    def invoke(self, event):
        """The handler's result. Its calls to AWS are recorded."""
        self.thread = threading.get_ident()
        try:
            return self.module.handler(event, self.context)
        finally:
            self.thread = None

    def __call__(self, *records):
        """Handle records as one batch; the ids of the failed messages."""
        try:
            answer = self.invoke({"Records": list(records)})
        except BatchProcessingError as error:
            print(error)  # shown with a test that fails
            return [record["messageId"] for record in records]
        return [item["itemIdentifier"] for item in answer["batchItemFailures"]]

    def logged(self):
        """Log lines since the last call, newest last."""
        lines = self._log.getvalue().splitlines()
        self._log.seek(0)
        self._log.truncate()
        return [json.loads(line) for line in lines]

    def failure(self):
        """The exception of the last message that failed since the last call, by its name."""
        return [line["exception_name"] for line in self.logged() if line["message"] == "message failed"][-1]

    @property
    def changes(self):
        """Names of the calls that are not read-only."""
        return [name for name, _ in self.calls if not name.startswith(READS)]


class Cloud:
    """The embedded AWS with one model of its own for a test."""

    def __init__(self, local):
        self.local = local
        self.model = f"m{uuid.uuid4().hex[:10]}"
        self.name = f"{PREFIX}-{self.model}"
        self.service = local._dispatcher.replaced["sagemaker"]
        self.state = self.service.state(ACCOUNT, REGION)
        self.bucket = f"bucket-{self.model}"
        self.client("s3").create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.settings = {
            "model": self.model,
            "model_package_group": self.name,
            "training_pipeline": f"{self.name}-train",
            "endpoint": self.name,
            "raw_uri": f"s3://{self.bucket}/{self.model}/raw/",
            "records_uri": f"s3://{self.bucket}/{self.model}/",
            "retrain": {"on_drift": True, "cooldown_seconds": 3600.0},
            "serving": {
                "mode": "realtime",
                "instance": "ml.m5.large",
                "scaling": {"minimum": 1, "maximum": 1, "invocations_per_instance": 500},
                "canary": {"percent": 10, "bake": 600.0},
                "serverless": {"memory_mb": 2048, "max_concurrency": 5},
                "role_arn": ROLE,
                "kms_key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b",
                "capture_uri": f"s3://{self.bucket}/{self.model}/captured/",
                "capture_percent": 100,
                "rollback_alarms": ["endpoint-errors"],
            },
        }
        self.configure()

    def client(self, service):
        return _client(self.local.endpoint_url, service)

    def configure(self, **serving):
        """Write the settings parameter, as the model's stack does."""
        self.settings["serving"] |= serving
        self.client("ssm").put_parameter(
            Name=f"/acme/prod/models/{self.model}", Value=json.dumps(self.settings), Type="String", Overwrite=True
        )

    def event(self, name, **changes):
        """An event about this test's model."""
        return json.loads(json.dumps(event(name)).replace("churn", self.model)) | changes

    def message(self, name, **attributes):
        return message(self.event(name), self.model, **attributes)

    @property
    def _sent(self):
        """Messages in the recorder queue, where no function reads them."""
        return sqs_backends[ACCOUNT][REGION].queues["acme-prod-recorder.fifo"]._messages

    def records(self, kind=None):
        """Records that were sent to the recorder about the test's model, oldest first."""
        bodies = [json.loads(message.body) for message in self._sent if message.group_id == self.model]
        return [body for body in bodies if kind in (None, body["kind"])]

    def forget_records(self):
        for message in [message for message in self._sent if message.group_id == self.model]:
            self._sent.remove(message)

    def objects(self, prefix):
        found = self.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=f"{self.model}/{prefix}")
        return [entry["Key"].removeprefix(f"{self.model}/") for entry in found.get("Contents", [])]

    def read(self, name):
        body = self.client("s3").get_object(Bucket=self.bucket, Key=f"{self.model}/{name}")["Body"].read()
        return json.loads(body)


@cache
def _client(endpoint_url, service):
    return boto3.client(service, endpoint_url=endpoint_url, region_name=REGION)


@contextmanager
def import_path(name):
    """Import a function's modules and `shared` as from its zip; other functions have modules of the same names."""
    folder = ROOT / "lambda" / name
    own = {path.stem for path in folder.glob("*.py")}

    def pop_modules():
        return {
            module: sys.modules.pop(module)
            for module in list(sys.modules)
            if module.partition(".")[0] in own | {"shared"}
        }

    hidden = pop_modules()
    paths = [str(folder), str(folder.parent)]
    sys.path[:0] = paths
    sys.modules.update(_imported.get(name, {}))
    try:
        yield
    finally:
        for path in paths:
            sys.path.remove(path)
        _imported[name] = pop_modules()
        sys.modules.update(hidden)
