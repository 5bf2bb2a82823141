"""Definitions against the SageMaker SDK's own: the same steps, written with its workflow package, give an equal definition.

The SDK makes steps, references, functions, conditions, retry policies and property files itself; a reference to a property
that it does not know is an error. Arguments are requests of SageMaker's API on both sides. The SDK has no `NotEquals`, which is
in AWS's schema of the format.
"""

import json
import re
from functools import reduce
from types import SimpleNamespace
from unittest.mock import Mock, create_autospec

import pytest

from model_factory.definition import (
    CacheConfig,
    Condition,
    ConditionStep,
    Execution,
    FailStep,
    Get,
    Join,
    Parameter,
    PipelineDefinition,
    ProcessingStep,
    PropertyFile,
    RegisterModelStep,
    RetryPolicy,
    TrainingStep,
    TransformStep,
)

pytestmark = pytest.mark.slow  # importing the SDK takes ten seconds

CALLERS = {"Processing": "run", "Training": "train", "Transform": "transform"}
COMPARISONS = {
    "Equals": "ConditionEquals",
    "GreaterThan": "ConditionGreaterThan",
    "GreaterThanOrEqualTo": "ConditionGreaterThanOrEqualTo",
    "LessThan": "ConditionLessThan",
    "LessThanOrEqualTo": "ConditionLessThanOrEqualTo",
}
PARAMETERS = {
    "String": "ParameterString",
    "Integer": "ParameterInteger",
    "Float": "ParameterFloat",
    "Boolean": "ParameterBoolean",
}


@pytest.fixture(scope="module")
def sdk():
    """The parts of the SDK that write definitions. It makes clients when it is imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield _sdk()


def _sdk() -> SimpleNamespace:
    from sagemaker.core.workflow import (
        conditions,
        execution_variables,
        functions,
        parameters,
        pipeline_context,
        properties,
    )
    from sagemaker.mlops.workflow import condition_step, fail_step, model_step, pipeline, retry, steps

    modules = (
        conditions, execution_variables, functions, parameters, pipeline_context, properties,
        condition_step, fail_step, model_step, pipeline, retry, steps,
    )  # fmt: skip
    return SimpleNamespace(**{name: value for module in modules for name, value in vars(module).items()})


class Writer:
    """Writes a definition again with the SDK."""

    def __init__(self, sdk, definition: dict) -> None:
        self.sdk, self.definition = sdk, definition
        self.session = self._producer().sagemaker_session
        self.parameters = {each["Name"]: self._parameter(each) for each in definition["Parameters"]}
        self.steps = {}

    def write(self) -> dict:
        steps = [self._step(each) for each in self.definition["Steps"]]
        made = self.sdk.Pipeline(
            name="p", parameters=[*self.parameters.values()], steps=steps, sagemaker_session=self.session
        )
        # The SDK also writes settings that it was not given.
        return {name: value for name, value in json.loads(made.definition()).items() if value is not None}

    def _parameter(self, entry: dict):
        default = {"default_value": entry["DefaultValue"]} if "DefaultValue" in entry else {}
        return getattr(self.sdk, PARAMETERS[entry["Type"]])(name=entry["Name"], **default)

    def _step(self, entry: dict):
        common = {"name": entry["Name"], "depends_on": entry.get("DependsOn")}
        common |= {"display_name": entry.get("DisplayName"), "description": entry.get("Description")}
        make = getattr(self, f"_{entry['Type'].lower()}")
        self.steps[entry["Name"]] = made = make(entry, common)
        return made

    def _processing(self, entry: dict, common: dict):
        files = [
            self.sdk.PropertyFile(name=file["PropertyFileName"], output_name=file["OutputName"], path=file["FilePath"])
            for file in entry.get("PropertyFiles", [])
        ]
        return self.sdk.ProcessingStep(**common, **self._job(entry), property_files=files)

    def _training(self, entry: dict, common: dict):
        return self.sdk.TrainingStep(**common, **self._job(entry))

    def _transform(self, entry: dict, common: dict):
        return self.sdk.TransformStep(**common, **self._job(entry))

    def _registermodel(self, entry: dict, common: dict):
        arguments = self.sdk._ModelStepArguments(self._producer())
        arguments.caller_name = "create_model_package_from_containers"
        arguments.create_model_package_request = self._value(entry["Arguments"])
        return self.sdk.ModelStep(**common, step_args=arguments, retry_policies=self._retries(entry))

    def _condition(self, entry: dict, common: dict):
        arguments = entry["Arguments"]
        conditions = [
            getattr(self.sdk, COMPARISONS[each["Type"]])(
                left=self._value(each["LeftValue"]), right=self._value(each["RightValue"])
            )
            for each in arguments["Conditions"]
        ]
        branches = {
            name: [self._step(each) for each in arguments[key]]
            for name, key in (("if_steps", "IfSteps"), ("else_steps", "ElseSteps"))
        }
        return self.sdk.ConditionStep(**common, conditions=conditions, **branches)

    def _fail(self, entry: dict, common: dict):
        return self.sdk.FailStep(**common, error_message=self._value(entry["Arguments"]["ErrorMessage"]))

    def _job(self, entry: dict) -> dict:
        """The arguments that the SDK captures from a processor, trainer or transformer."""
        producer = self._producer()
        producer.sagemaker_session.context = SimpleNamespace(args=self._value(entry["Arguments"]))
        captured = self.sdk._StepArguments(CALLERS[entry["Type"]], lambda _: None, producer)
        cache = entry.get("CacheConfig")
        made = {"step_args": captured, "retry_policies": self._retries(entry)}
        if cache:
            made["cache_config"] = self.sdk.CacheConfig(
                enable_caching=cache["Enabled"], expire_after=cache["ExpireAfter"]
            )
        return made

    def _producer(self):
        """What has a session: a processor, a trainer, a model. No call of a session reaches AWS."""
        session = create_autospec(self.sdk.PipelineSession, instance=True, boto_session=Mock())
        return SimpleNamespace(sagemaker_session=session, source_code=None)

    def _retries(self, entry: dict) -> list:
        return [self._retry(policy) for policy in entry.get("RetryPolicies", [])]

    def _retry(self, policy: dict):
        step = policy["ExceptionType"][0].startswith("Step.")
        kinds = self.sdk.StepExceptionTypeEnum if step else self.sdk.SageMakerJobExceptionTypeEnum
        make = self.sdk.StepRetryPolicy if step else self.sdk.SageMakerJobStepRetryPolicy
        return make(
            exception_types=[kind for each in policy["ExceptionType"] for kind in kinds if kind.value == each],
            backoff_rate=policy["BackoffRate"],
            interval_seconds=policy["IntervalSeconds"],
            max_attempts=policy["MaxAttempts"],
        )

    def _value(self, value):
        """Functions of the format as the SDK's objects."""
        if isinstance(value, list):
            return [self._value(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "Get" in value:
            return self._reference(value["Get"])
        if join := value.get("Std:Join"):
            return self.sdk.Join(on=join["On"], values=self._value(join["Values"]))
        if get := value.get("Std:JsonGet"):
            _, step, _, file = get["PropertyFile"]["Get"].split(".")
            return self.sdk.JsonGet(step_name=step, property_file=file, json_path=get["Path"])
        return {key: self._value(each) for key, each in value.items()}

    def _reference(self, path: str):
        kind, _, rest = path.partition(".")
        if kind == "Parameters":
            return self.parameters[rest]
        if kind == "Execution":
            return self.sdk.ExecutionVariable(rest)
        step, _, place = rest.partition(".")
        parts = re.findall(r"\['([^']+)'\]|\[(\d+)\]|([^.\[\]]+)", place)
        return reduce(_member, parts, self.steps[step].properties)


def _member(properties, part: tuple[str, str, str]):
    key, index, name = part
    return getattr(properties, name) if name else properties[key or int(index)]


ROLE = "arn:aws:iam::123456789012:role/jobs"
CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
S3 = {"LocalPath": "/opt/ml/processing/output/report", "S3UploadMode": "EndOfJob"}
RETRIES = [RetryPolicy(["Step.THROTTLING"], 3), RetryPolicy(["SageMaker.CAPACITY_ERROR"], 8, 120, 1.5)]


def everything() -> dict:
    """A definition with every step type, function and option of the package, but `NotEquals`."""
    parameters = [
        Parameter("Day"),
        Parameter("Rounds", 3, "Integer"),
        Parameter("Least", 0.5, "Float"),
        Parameter("Dry", False, "Boolean"),
    ]
    output = {"OutputName": "report", "S3Output": {"S3Uri": Join("/", ["s3://b", Execution.ID, parameters[0]]), **S3}}
    prepare = ProcessingStep(
        "Prepare",
        {
            "RoleArn": ROLE,
            "AppSpecification": {"ImageUri": "image"},
            "ProcessingResources": {"ClusterConfig": CLUSTER},
            "ProcessingOutputConfig": {"Outputs": [output]},
            "Environment": {"STARTED": Execution.START_TIME, "NAME": Execution.PIPELINE_NAME},
        },
        description="Prepares",
        property_files=[PropertyFile("Report", "report", "report.json")],
        retry_policies=RETRIES,
        cache=CacheConfig("P30D"),
    )
    train = TrainingStep(
        "Train",
        {
            "RoleArn": ROLE,
            "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": prepare.output("report")},
            "ResourceConfig": CLUSTER,
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "HyperParameters": {"rounds": Get("Parameters.Rounds")},
        },
        depends_on=["Prepare"],
        display_name="Train it",
        cache=CacheConfig("PT1H"),
    )
    transform = TransformStep(
        "Score",
        {
            "ModelName": "model",
            "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}}},
            "TransformOutput": {"S3OutputPath": "s3://b/out"},
            "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
        },
        retry_policies=RETRIES,
    )
    register = RegisterModelStep(
        "Register",
        {
            "ModelPackageGroupName": "group",
            "InferenceSpecification": {
                "Containers": [{"Image": "image", "ModelDataUrl": train.get("ModelArtifacts.S3ModelArtifacts")}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            "CustomerMetadataProperties": {"job": train.get("TrainingJobName")},
        },
        retry_policies=RETRIES[:1],
    )
    score = prepare.json("Report", "gate.value")
    conditions = [Condition(kind, score, parameters[2]) for kind in COMPARISONS]
    gate = ConditionStep(
        "Gate",
        conditions=[*conditions, Condition("Equals", parameters[3], False)],
        if_steps=[register, transform],
        else_steps=[FailStep("Reject", {"ErrorMessage": Join(" ", ["too low:", score])})],
        depends_on=["Train"],
    )
    return PipelineDefinition([prepare, train, gate], parameters).render()


def test_every_step_type_is_written_as_sdk_writes_it(sdk):
    definition = everything()
    assert Writer(sdk, definition).write() == definition


@pytest.mark.parametrize("pipeline", ["train", "monitor"])
def test_deployed_definition_equals_definition_of_sdk(sdk, model, pipeline):
    definition = model.definition(f"acme-prod-churn-{pipeline}")
    assert Writer(sdk, definition).write() == definition
