"""Transform jobs and steps: outputs for every object below a prefix."""

import pytest

from local_aws.sagemaker.jobs.transform import _variables, parts

from .endpoint import wait

SERVE = """
def model_fn(model_dir):
    return "seen"
def transform_fn(model, body, content_type, accept):
    if "bad" in body:
        raise ValueError(body)
    return "".join(f"{model} {line}\\n" for line in body.splitlines()), accept
"""


@pytest.fixture(scope="module")
def model(aws):
    name = aws.name("model")
    program = {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    url = aws.archive({"code/serve.py": SERVE})
    container = {"Image": "image", "ModelDataUrl": url, "Environment": program}
    aws.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=aws.role)
    return name


def request(aws, model, files, **given):
    """Arguments of a transform job over these files, and the prefix of its output."""
    source, out = aws.name("in"), aws.name("out")
    for name, text in files.items():
        aws.put(f"{source}/{name}", text.encode())
    data = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{aws.bucket}/{source}/"}}
    return {
        "ModelName": model,
        "TransformInput": {"DataSource": data, "ContentType": "text/csv", "SplitType": "Line", **given},
        "TransformOutput": {"S3OutputPath": f"s3://{aws.bucket}/{out}", "Accept": "text/csv", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }, out


def test_transform_writes_output_for_every_object(aws, model):
    arguments, out = request(aws, model, {"a.csv": "1\n2\n", "deep/b.csv": "3\n"})

    ended = aws.run_job("Transform", arguments)

    assert ended["TransformJobStatus"] == "Completed", ended.get("FailureReason")
    assert aws.keys(out) == [f"{out}/a.csv.out", f"{out}/deep/b.csv.out"]
    assert aws.get(f"s3://{aws.bucket}/{out}/a.csv.out") == b"seen 1\nseen 2\n"


def test_model_error_fails_transform_job_and_names_object(aws, model):
    arguments, out = request(aws, model, {"a.csv": "bad\n"})

    ended = aws.run_job("Transform", arguments)

    assert ended["TransformJobStatus"] == "Failed"
    assert "a.csv" in ended["FailureReason"]
    assert aws.keys(out) == []


def test_unsupported_settings_are_refused_by_name(aws, model):
    arguments, _ = request(aws, model, {"a.csv": "1\n"}, CompressionType="Gzip")
    assert "CompressionType Gzip" in aws.run_job("Transform", arguments)["FailureReason"]


def test_transform_step_runs_transform_job(aws, model):
    arguments, out = request(aws, model, {"a.csv": "1\n"})

    execution, done = aws.finished(
        aws.start(aws.pipeline([{"Name": "Score", "Type": "Transform", "Arguments": arguments}]))
    )

    assert execution["PipelineExecutionStatus"] == "Succeeded", execution.get("FailureReason")
    job = done["Score"]["Metadata"]["TransformJob"]["Arn"].rsplit("/", 1)[-1]
    assert aws.sagemaker.describe_transform_job(TransformJobName=job)["TransformJobStatus"] == "Completed"
    assert wait(lambda: aws.keys(out)) == [f"{out}/a.csv.out"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [b"1\n2\n3\n"]),
        ({"BatchStrategy": "SingleRecord"}, [b"1\n", b"2\n", b"3\n"]),
    ],
)
def test_batch_strategy_splits_lines_into_requests(given, expected):
    assert list(parts(b"1\n2\n3\n", {"TransformInput": {"SplitType": "Line"}, **given})) == expected


def test_requests_stay_below_maximum_payload():
    line = b"x" * (2**19 - 1) + b"\n"
    found = list(parts(line * 5, {"TransformInput": {"SplitType": "Line"}, "MaxPayloadInMB": 1}))
    assert [len(part) for part in found] == [2**20, 2**20, 2**19]


def test_transform_container_gets_documented_variables():
    assert _variables({}) == {"SAGEMAKER_BATCH": "true"}
    job = {"MaxPayloadInMB": 4, "BatchStrategy": "SingleRecord", "Environment": {"MODE": "score"}}
    assert _variables(job) == {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "4",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
        "MODE": "score",
    }
