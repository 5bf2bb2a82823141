"""An own pipeline from pipeline.py to the definition that is deployed, without the SageMaker SDK: stand-ins write definitions."""

import importlib.util
import io
import json
import re
import sys
import tarfile
from pathlib import Path

import pytest

from model_factory.config import ConfigError, ModelConfig, load_model
from model_factory.config.pipeline import OwnPipeline
from model_factory.model.job_code import JobCode
from model_factory.own_pipeline import placeholders, synthesis
from model_factory.own_pipeline.code_files import CodeFiles, take_code
from model_factory.own_pipeline.steps import images, step_mistakes
from model_factory.own_pipeline.synthesis import Synthesized, synthesize
from model_factory.stacks import factory

BUCKET = placeholders.BUCKET
MODEL = "name: orders\nproblem: regression\ndata: {label: price}\n"
WRITES = '''"""A pipeline that uploads its code, as the SDK does."""
import json
import time
import boto3


class Pipeline:
    def __init__(self, region, role, bucket):
        self.region, self.role, self.bucket = region, role, bucket

    def definition(self):
        key = f"orders/{time.time()}/prepare.py"
        boto3.client("s3", region_name=self.region).put_object(Bucket=self.bucket, Key=key, Body=b"print(1)")
        step = {"Name": "Prepare", "Type": "Processing", "Arguments": {"RoleArn": self.role, "Code": f"s3://{self.bucket}/{key}"}}
        return json.dumps({"Version": "2020-12-01", "Steps": [step]})


def get_pipeline(region, role, default_bucket):
    return Pipeline(region, role, default_bucket)
'''


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Writes a model's folder with a pipeline.py; the cache is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "orders"
    folder.mkdir()

    def write(code: str, model: str = MODEL):
        (folder / "model.yaml").write_text(model)
        (folder / "pipeline.py").write_text(code)
        return folder

    return write


def mistake(folder) -> str:
    with pytest.raises(ConfigError) as caught:
        synthesize(load_model(folder), folder, "eu-west-1")
    return str(caught.value).removeprefix(f"{folder}/")


def test_uploads_become_code_with_a_name_without_time(project):
    folder = project(WRITES)
    own = synthesize(load_model(folder), folder, "eu-west-1")
    assert dict(own.code.files) == {"001/prepare.py": b"print(1)"}
    (step,) = own.definition["Steps"]
    assert step["Arguments"] == {
        "RoleArn": placeholders.role_arn("eu-west-1"),
        "Code": f"s3://{BUCKET}/model-factory-code/001/prepare.py",
    }


@pytest.fixture
def process(monkeypatch):
    """The program of the process as a module, with AWS's calls left alone: its mistakes take no process then."""
    folder = Path(synthesis.__file__).with_name("process")
    monkeypatch.syspath_prepend(str(folder))
    spec = importlib.util.spec_from_file_location("own_pipeline_process", folder / "__main__.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.AwsCalls, "install", lambda self: None)
    monkeypatch.setattr(module.os, "chdir", lambda path: None)
    yield module
    for name in ("pipeline", "aws_calls"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("code", "line", "expected"),
    [
        ("x = 1\n", None, "defines no function get_pipeline(region, role, default_bucket, …)"),
        ("def get_pipeline(region):\n    return 1 / 0\n", 2, "get_pipeline raises ZeroDivisionError: division by zero"),
        (
            "def get_pipeline(region, vpc):\n    pass\n",
            1,
            "get_pipeline needs a value for vpc; give it in pipeline.argum",
        ),
        (
            "def get_pipeline(colour='red'):\n    pass\n",
            None,
            "get_pipeline returns NoneType; it must return a Pipeline",
        ),
        ("def get_pipeline(:\n", 1, "syntax error"),
        (
            "import nothing_of_this_name\n",
            1,
            "No module named 'nothing_of_this_name'. Write its library into pipeline-req",
        ),
        (
            "import sagemaker_of_v2\n",
            1,
            "write the SDK that pipeline.py needs into pipeline-requirements.txt beside it",
        ),
    ],
    ids=["missing", "raises", "parameter", "returns", "syntax", "import", "sdk"],
)
def test_mistake_of_pipeline_is_said_with_its_line(project, process, code, line, expected):
    request = {"pipeline": str(project(code) / "pipeline.py"), "values": {"region": "eu-west-1"}, "arguments": {}}
    with pytest.raises(process.Mistake, match=re.escape(expected)) as caught:
        process._answer(request, process.AwsCalls("1", "bucket", "role"))
    assert caught.value.line == line


def test_arguments_of_model_yaml_must_be_parameters(project, process):
    folder = project("def get_pipeline(region, role):\n    pass\n")
    request = {
        "pipeline": str(folder / "pipeline.py"),
        "values": {"region": "x", "role": "y"},
        "arguments": {"colour": 1},
    }
    with pytest.raises(
        process.Mistake, match=r"has no parameter colour, which pipeline.arguments .* it has region, role"
    ):
        process._answer(request, process.AwsCalls("1", "bucket", "role"))


def test_pipeline_of_functions_is_told_to_use_steps(project, process, monkeypatch):
    folder = project("from function_step import step\n\ntrain = step(print)\n")
    sdk = "def step(function):\n    raise ValueError('Default image is supported only for Python versions 3.8 and 3.10.')\n"
    (folder / "function_step.py").write_text(sdk)
    monkeypatch.syspath_prepend(str(folder))
    request = {"pipeline": str(folder / "pipeline.py"), "values": {"region": "eu-west-1"}, "arguments": {}}
    with pytest.raises(process.Mistake) as caught:
        process._answer(request, process.AwsCalls("1", "bucket", "role"))
    assert (caught.value.line, caught.value.of_function) == (3, True)
    entry_point = ["/bin/bash", "/opt/ml/input/data/sagemaker_remote_function_bootstrap/job_driver.sh"]
    step = {"Type": "Training", "Arguments": {"AlgorithmSpecification": {"ContainerEntrypoint": entry_point}}}
    said = next(step_mistakes({"Steps": [step | {"Name": "Train"}]}, "3.27.0"))
    assert said.startswith("step 'Train' is a function with the decorator @step. Model Factory deploys no functions")
    assert "Put the function's body into a script of a Processing or Training step" in said


CALLS = """import boto3
import socket


def said(call, **arguments):
    try:
        call(**arguments)
    except OSError as error:
        return str(error)


def get_pipeline(region):
    s3, sagemaker = boto3.client("s3", "eu-west-1"), boto3.client("sagemaker", "eu-west-1")
    other = said(s3.put_object, Bucket="mine", Key="k", Body=b"")
    network = said(lambda: socket.create_connection(("example.com", 443)))
    assert (other, network) == (%r, %r)
    sagemaker.list_models()
"""


def test_calls_and_connections_are_refused_in_words(project):
    other = "calls s3:PutObject on the bucket mine, and a synth has no AWS; code is uploaded to default_bucket"
    network = "opens a connection to example.com, and a synth has no network"
    assert mistake(project(CALLS % (other, network))) == f"pipeline.py:17: {other}"


def test_models_with_own_pipeline_have_no_gate_and_no_model_py(project):
    folder = project("", f"{MODEL}gate: {{metric: rmse, maximum: 1}}\n")
    with pytest.raises(
        ConfigError, match=r"model.yaml:4: gate is for models with a model.py; conditions of pipeline.py"
    ):
        load_model(folder)
    folder = project("")
    (folder / "model.py").touch()
    with pytest.raises(ConfigError, match=r"pipeline.py: model.py lies beside it"):
        load_model(folder)
    (folder / "pipeline.py").unlink()
    (folder / "model.yaml").write_text(f"{MODEL}pipeline: {{}}\ngate: null\n")
    with pytest.raises(ConfigError, match=r"model.yaml:4: pipeline is for models with a pipeline.py"):
        load_model(folder)


def test_code_is_the_same_for_other_times_and_joined_uris():
    def taken(when: int):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            entry = tarfile.TarInfo("train.py")
            entry.size, entry.mtime = 1, when
            tar.addfile(entry, io.BytesIO(b"1"))
        uploads = {f"job-{when}/source/sourcedir.tar.gz": archive.getvalue(), f"job-{when}/drivers/a/b.py": b"2"}
        joined = {"Std:Join": {"On": "/", "Values": ["s3:/", BUCKET, f"job-{when}", "source/sourcedir.tar.gz"]}}
        hyperparameter = json.dumps(f"s3://{BUCKET}/job-{when}/source/sourcedir.tar.gz")
        output = {"S3OutputPath": f"s3://{BUCKET}/job-{when}"}
        definition = [joined, hyperparameter, f"s3://{BUCKET}/job-{when}/drivers/", {"OutputDataConfig": output}]
        return take_code(definition, uploads)

    (first, code), (second, again) = taken(1_000_000_000), taken(1_100_000_000)
    assert code.digest == again.digest
    assert sorted(code.files) == ["001/sourcedir.tar.gz", "002/a/b.py"]
    assert first[:3] == second[:3]
    assert first[0] == {"Std:Join": {"On": "/", "Values": [f"s3://{BUCKET}/model-factory-code/001/sourcedir.tar.gz"]}}
    assert first[3] == {"OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/job-1000000000"}}


def test_steps_that_cannot_be_executed_are_refused_in_words():
    def said(*steps: dict) -> str:
        return "\n".join(step_mistakes({"Steps": list(steps)}, "3.27.0"))

    assert (
        "step 'Check' has the type QualityCheck, which compares with baselines of Amazon SageMaker Model Monitor"
        in said({"Name": "Check", "Type": "QualityCheck"})
    )
    assert "is no type of step that Model Factory knows" in said({"Name": "Check", "Type": "Other"})
    inner = {"Name": "Cluster", "Type": "EMR"}
    asks = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": {"Get": "Parameters.Queue"}}
    assert "step 'Ask': SqsQueueUrl must be a text" in said(asks)
    condition = {
        "Name": "If",
        "Type": "Condition",
        "Arguments": {"Conditions": [], "IfSteps": [inner], "ElseSteps": []},
    }
    assert "step 'Cluster' has the type EMR, which needs a cluster" in said(condition)
    assert "no step registers a model package" in said({"Name": "Fail", "Type": "Fail"})
    request = {"ModelPackageGroupName": {"Get": "Parameters.Group"}, "ModelPackageColour": "red"}
    assert said({"Name": "Register", "Type": "RegisterModel", "Arguments": request}).startswith(
        "step 'Register': Arguments.ModelPackageColour is no member of CreateModelPackage"
    )


def test_images_of_parameters_are_their_defaults():
    step = {
        "Name": "T",
        "Type": "Training",
        "Arguments": {"AlgorithmSpecification": {"TrainingImage": {"Get": "Parameters.I"}}},
    }
    parameters = [{"Name": "I", "Type": "String", "DefaultValue": "1.dkr/x:1"}]
    assert images({"Parameters": parameters, "Steps": [step]}) == ["1.dkr/x:1"]


def test_evidence_has_the_definition_without_its_region(project):
    config = load_model(project("", f"{MODEL}pipeline: {{parameters: {{Rows: 5}}}}\n"))

    def evidence(region: str) -> dict[str, bytes]:
        image = f"141502667606.dkr.ecr.{region}.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
        return Synthesized({"Image": image, "Data": f"s3://public-{region}/x"}, CodeFiles({}), "3").evidence(
            config, region
        )

    assert evidence("eu-west-1") == evidence("us-east-2")
    assert json.loads(evidence("eu-west-1")["parameters.json"]) == {"Rows": 5}


def test_zip_of_similarly_named_standard_model_is_its_own(monkeypatch):
    own = Synthesized({}, CodeFiles({}), "3")
    monkeypatch.setattr(factory, "checked_pipeline", lambda *_: own)
    monkeypatch.setattr(factory, "build_job_code", lambda _, project, target: JobCode(target, "standard", ""))
    monkeypatch.setattr(factory, "build_pipeline_code", lambda _, project, target: JobCode(target, "own", ""))
    configs = {
        "churn": ModelConfig.model_construct(pipeline=OwnPipeline()),
        "churn-eu-west-1": ModelConfig.model_construct(pipeline=None),
    }
    codes = factory._Codes(configs, Path("models"), Path("jobs"))
    zips = [codes.of(name, "eu-west-1") for name in configs]
    assert [each.digest for each in zips] == ["own", "standard"]
    assert zips[0].path != zips[1].path
