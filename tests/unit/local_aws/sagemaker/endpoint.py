"""An endpoint for one test, and the module that its container serves."""

import json
import time

SERVE = """
import json, os, pathlib, time
import flask

def model_fn(model_dir):
    if os.environ.get("BREAK"):
        raise RuntimeError("the model does not load")
    return json.loads((pathlib.Path(model_dir) / "model.json").read_text())

def transform_fn(model, body, content_type, accept):
    assert isinstance(body, str) or content_type == "application/octet-stream"
    if content_type == "application/octet-stream":
        return flask.Response(body[::-1], content_type="application/octet-stream")
    if body.startswith("bad"):
        return flask.Response(json.dumps({"error": "row 1 is bad"}), 400, content_type="application/json")
    if body.startswith("slow"):
        time.sleep(1)
    if body.startswith("raise"):
        raise ValueError("unexpected")
    rows = body.splitlines()
    return flask.Response("".join(f"{model['name']}\\n" for _ in rows), content_type="text/csv")
"""


def wait(look, seconds=60.0):
    """The result of `look` as soon as it is not empty."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"no result within {seconds} s")


class Endpoint:
    """The endpoint of one test."""

    def __init__(self, aws):
        self.aws, self.name = aws, aws.name("endpoint")

    def config(self, answer, environment=None, capture=None, serve=SERVE, variant=None, queue=None):
        """A model that answers `answer`, and a configuration with it."""
        name = self.aws.name("config")
        url = self.aws.archive({"model.json": json.dumps({"name": answer}), "code/serve.py": serve})
        program = {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
        container = {"Image": "image", "ModelDataUrl": url, "Environment": program | (environment or {})}
        self.aws.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=self.aws.role)
        shape = variant or {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        more = {"DataCaptureConfig": capture} if capture else {}
        more |= {"AsyncInferenceConfig": queue} if queue else {}
        self.aws.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[{"VariantName": "main", "ModelName": name, **shape}],
            **more,
        )
        return name

    def create(self, config):
        self.aws.sagemaker.create_endpoint(EndpointName=self.name, EndpointConfigName=config)
        return self.settled()

    def update(self, config, **more):
        self.aws.sagemaker.update_endpoint(EndpointName=self.name, EndpointConfigName=config, **more)
        return self.settled()

    def settled(self):
        def look():
            found = self.aws.sagemaker.describe_endpoint(EndpointName=self.name)
            return None if found["EndpointStatus"] in ("Creating", "Updating") else found

        return wait(look)

    def invoke(self, body="1,2\n", content_type="text/csv", **more):
        runtime = self.aws.client("sagemaker-runtime")
        return runtime.invoke_endpoint(EndpointName=self.name, Body=body, ContentType=content_type, **more)

    def read(self, *arguments, **more):
        return self.invoke(*arguments, **more)["Body"].read().decode()


def flush(aws):
    aws.local.post("flush")


def captured(aws, prefix):
    keys = aws.keys(prefix)
    return keys, [json.loads(line) for key in keys for line in aws.get(f"s3://{aws.bucket}/{key}").splitlines()]


def capture(aws, prefix, percent=100, modes=("Input", "Output"), **more):
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": percent,
        "DestinationS3Uri": f"s3://{aws.bucket}/{prefix}",
        "CaptureOptions": [{"CaptureMode": mode} for mode in modes],
        **more,
    }
