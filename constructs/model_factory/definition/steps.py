"""The steps of a pipeline. Their arguments are exactly the requests of SageMaker's API."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from .functions import Get, JsonGet, Value, render


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file in an output of a processing step, whose values later steps read with JsonGet.

    Args:
        name: Name of the property file.
        output: Name of the step's output that has the file.
        path: Path of the file in the output.
    """

    name: str
    output: str
    path: str

    def definition(self) -> dict[str, Any]:
        """The entry in the step's `PropertyFiles`."""
        return {"PropertyFileName": self.name, "OutputName": self.output, "FilePath": self.path}


@dataclass(frozen=True)
class RetryPolicy:
    """Repeats a step after an error.

    Args:
        exceptions: Errors, such as `Step.THROTTLING`.
        max_attempts: Number of attempts, 1 to 20.
        interval_seconds: Seconds before the first retry. Default: 1.
        backoff_rate: Factor by which the wait grows from retry to retry. Default: 2.0.
    """

    exceptions: Sequence[
        Literal[
            "Step.SERVICE_FAULT",
            "Step.THROTTLING",
            "SageMaker.JOB_INTERNAL_ERROR",
            "SageMaker.CAPACITY_ERROR",
            "SageMaker.RESOURCE_LIMIT",
        ]
    ]
    max_attempts: int
    interval_seconds: int = 1
    backoff_rate: float = 2.0

    def definition(self) -> dict[str, Any]:
        """The entry in the step's `RetryPolicies`."""
        return {
            "ExceptionType": list(self.exceptions),
            "IntervalSeconds": self.interval_seconds,
            "BackoffRate": self.backoff_rate,
            "MaxAttempts": self.max_attempts,
        }


@dataclass(frozen=True)
class CacheConfig:
    """Reuses the result of an earlier step with the same arguments.

    Args:
        expire_after: Age up to which results are reused: an ISO 8601 duration such as `P30D`.
    """

    expire_after: str

    def definition(self) -> dict[str, Any]:
        """The step's `CacheConfig`."""
        return {"Enabled": True, "ExpireAfter": self.expire_after}


@dataclass(frozen=True)
class Step:
    """A step of any type. The arguments of subclasses are checked against the service model.

    Args:
        name: Name of the step in the pipeline.
        arguments: Request of SageMaker's API, with functions and CDK tokens in place of values. Default: none.
        type: Type of the step in the definition format. Default: that of the subclass.
        depends_on: Names of steps that have to end before this one. Default: none; references imply an order already.
        display_name: Name in SageMaker Studio. Default: `name`.
        description: Description in SageMaker Studio. Default: none.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    type: str = ""
    depends_on: Sequence[str] = ()
    display_name: str | None = None
    description: str | None = None

    operation: ClassVar[str | None] = None
    describe_operation: ClassVar[str | None] = None
    generated: ClassVar[frozenset[str]] = frozenset()

    def get(self, property_path: str) -> Get:
        """A reference to a property of the response of the step's Describe operation.

        Args:
            property_path: Path of the property, such as `ModelArtifacts.S3ModelArtifacts`.
        """
        return Get(f"Steps.{self.name}.{property_path}")

    def branches(self) -> Sequence[Sequence["Step"]]:
        """The steps inside this one."""
        return ()

    def walk(self) -> Iterator["Step"]:
        """This step and every step inside it."""
        yield self
        for branch in self.branches():
            for step in branch:
                yield from step.walk()

    def definition(self) -> dict[str, Any]:
        """The step as JSON of the definition format."""
        optional = {
            "DependsOn": list(self.depends_on),
            "DisplayName": self.display_name,
            "Description": self.description,
        }
        return {
            "Name": self.name,
            "Type": self.type,
            "Arguments": render(self.arguments),
            **{key: value for key, value in optional.items() if value},
        }


@dataclass(frozen=True)
class JobStep(Step):
    """A step that SageMaker can repeat after an error or take from its cache.

    Args:
        retry_policies: When the step is repeated. Default: never.
        cache: Whether results are reused, and for how long. Default: None, they are not.
    """

    retry_policies: Sequence[RetryPolicy] = ()
    cache: CacheConfig | None = None

    def definition(self) -> dict[str, Any]:
        """The step as JSON of the definition format."""
        retries = {"RetryPolicies": [policy.definition() for policy in self.retry_policies]}
        cache = {"CacheConfig": self.cache.definition()} if self.cache else {}
        return super().definition() | (retries if self.retry_policies else {}) | cache


@dataclass(frozen=True)
class ProcessingStep(JobStep):
    """A processing job.

    Args:
        property_files: JSON files in the outputs that later steps read. Default: none.
    """

    type: str = "Processing"
    property_files: Sequence[PropertyFile] = ()

    operation: ClassVar[str | None] = "CreateProcessingJob"
    describe_operation: ClassVar[str | None] = "DescribeProcessingJob"
    generated: ClassVar[frozenset[str]] = frozenset({"ProcessingJobName"})

    def output(self, name: str) -> Get:
        """The S3 URI of an output.

        Args:
            name: Name of the output.
        """
        return self.get(f"ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri")

    def json(self, property_file: str, path: str) -> JsonGet:
        """One value of one of the step's property files.

        Args:
            property_file: Name of the property file.
            path: Path of the value in the file, such as `gate.value`.
        """
        return JsonGet(self.name, property_file, path)

    def definition(self) -> dict[str, Any]:
        """The step as JSON of the definition format."""
        files = [file.definition() for file in self.property_files]
        return super().definition() | ({"PropertyFiles": files} if files else {})


@dataclass(frozen=True)
class TrainingStep(JobStep):
    """A training job."""

    type: str = "Training"

    operation: ClassVar[str | None] = "CreateTrainingJob"
    describe_operation: ClassVar[str | None] = "DescribeTrainingJob"
    generated: ClassVar[frozenset[str]] = frozenset({"TrainingJobName"})


@dataclass(frozen=True)
class TuningStep(JobStep):
    """A tuning job. Its properties are also those of ListTrainingJobsForHyperParameterTuningJob, the best jobs first."""

    type: str = "Tuning"

    operation: ClassVar[str | None] = "CreateHyperParameterTuningJob"
    describe_operation: ClassVar[str | None] = "DescribeHyperParameterTuningJob"
    generated: ClassVar[frozenset[str]] = frozenset({"HyperParameterTuningJobName"})

    def best(self, hyperparameter: str) -> Get:
        """The value of a hyperparameter in the best training job, as text.

        Args:
            hyperparameter: Its name.
        """
        return self.get(f"BestTrainingJob.TunedHyperParameters['{hyperparameter}']")


@dataclass(frozen=True)
class TransformStep(JobStep):
    """A batch transform job."""

    type: str = "Transform"

    operation: ClassVar[str | None] = "CreateTransformJob"
    describe_operation: ClassVar[str | None] = "DescribeTransformJob"
    generated: ClassVar[frozenset[str]] = frozenset({"TransformJobName"})


@dataclass(frozen=True)
class RegisterModelStep(JobStep):
    """Registers a version in a model package group."""

    type: str = "RegisterModel"

    operation: ClassVar[str | None] = "CreateModelPackage"
    describe_operation: ClassVar[str | None] = "DescribeModelPackage"


@dataclass(frozen=True)
class FailStep(Step):
    """Ends the execution as failed. Arguments: `ErrorMessage`."""

    type: str = "Fail"


@dataclass(frozen=True)
class Condition:
    """A comparison of two values.

    Args:
        type: `Equals`, `NotEquals`, `GreaterThan`, `GreaterThanOrEqualTo`, `LessThan` or `LessThanOrEqualTo`.
        left: Value or function.
        right: Value or function.
    """

    type: Literal[
        "Equals", "NotEquals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"
    ]  # fmt: skip
    left: Value
    right: Value

    def definition(self) -> dict[str, Any]:
        """The entry in the step's `Conditions`."""
        return {"Type": self.type, "LeftValue": render(self.left), "RightValue": render(self.right)}


@dataclass(frozen=True)
class ConditionStep(Step):
    """Runs one of two lists of steps. It takes no `arguments`.

    Args:
        conditions: Conditions that all have to be true for `if_steps`. Default: none.
        if_steps: Steps when the conditions are true. Default: none.
        else_steps: Steps when one is false. Default: none.
    """

    type: str = "Condition"
    conditions: Sequence[Condition] = ()
    if_steps: Sequence[Step] = ()
    else_steps: Sequence[Step] = ()

    def branches(self) -> Sequence[Sequence[Step]]:
        """The steps of both branches."""
        return (self.if_steps, self.else_steps)

    def definition(self) -> dict[str, Any]:
        """The step as JSON of the definition format."""
        arguments = {
            "Conditions": [condition.definition() for condition in self.conditions],
            "IfSteps": [step.definition() for step in self.if_steps],
            "ElseSteps": [step.definition() for step in self.else_steps],
        }
        return super().definition() | {"Arguments": arguments}
