"""Functions of the definition format: placeholders for values that are known when the pipeline runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast


class Function:
    """A value that SageMaker fills in during an execution."""

    def render(self) -> dict[str, Any]:
        """The JSON of the definition format."""
        raise NotImplementedError


type Value = str | int | float | bool | Function


@dataclass(frozen=True)
class Get(Function):
    """A reference to a parameter, an execution variable or a property of a step.

    Args:
        path: What it refers to, such as `Steps.Train.TrainingJobName`.
    """

    path: str

    def render(self) -> dict[str, Any]:
        """The JSON of the definition format."""
        return {"Get": self.path}


@dataclass(frozen=True)
class Join(Function):
    """A text that joins values, `Std:Join` in the definition format.

    Args:
        on: Separator, such as `/`.
        values: Texts, numbers and functions.
    """

    on: str
    values: Sequence[Value]

    def render(self) -> dict[str, Any]:
        """The JSON of the definition format."""
        return {"Std:Join": {"On": self.on, "Values": [render(value) for value in self.values]}}


@dataclass(frozen=True)
class JsonGet(Function):
    """One value of a JSON file that an earlier processing step declared as a property file, `Std:JsonGet`.

    Args:
        step: Name of the processing step.
        property_file: Name of the property file.
        path: Path of the value in the file, such as `gate.value`.
    """

    step: str
    property_file: str
    path: str

    def render(self) -> dict[str, Any]:
        """The JSON of the definition format."""
        property_file = {"Get": f"Steps.{self.step}.PropertyFiles.{self.property_file}"}
        return {"Std:JsonGet": {"PropertyFile": property_file, "Path": self.path}}


@dataclass(frozen=True)
class Parameter(Function):
    """A parameter of the pipeline, whose value `StartPipelineExecution` can set.

    Args:
        name: Name of the parameter.
        default: Value of executions that set none. Default: None, every execution has to set it.
        type: `String`, `Integer`, `Float` or `Boolean`. Default: `String`.
    """

    name: str
    default: str | int | float | bool | None = None
    type: Literal["String", "Integer", "Float", "Boolean"] = "String"

    def render(self) -> dict[str, Any]:
        """A reference to the parameter."""
        return {"Get": f"Parameters.{self.name}"}

    def declaration(self) -> dict[str, Any]:
        """The entry in the definition's `Parameters`."""
        default = {} if self.default is None else {"DefaultValue": self.default}
        return {"Name": self.name, "Type": self.type} | default


class Execution:
    """Execution variables: values that SageMaker knows of an execution. It has no instances."""

    ID: ClassVar = Get("Execution.PipelineExecutionId")
    ARN: ClassVar = Get("Execution.PipelineExecutionArn")
    PIPELINE_NAME: ClassVar = Get("Execution.PipelineName")
    PIPELINE_ARN: ClassVar = Get("Execution.PipelineArn")
    START_TIME: ClassVar = Get("Execution.StartDateTime")
    CURRENT_TIME: ClassVar = Get("Execution.CurrentDateTime")
    VARIABLES: ClassVar = (
        "PipelineExecutionId", "PipelineExecutionArn", "PipelineName", "PipelineArn", "StartDateTime",
        "CurrentDateTime", "TrainingJobName", "ProcessingJobName",
    )  # fmt: skip


def render(value: Any) -> Any:
    """`value` with every function in it as JSON."""
    match value:
        case Function():
            return value.render()
        case Mapping():
            return {key: render(item) for key, item in cast(Mapping[str, Any], value).items()}
        case list() | tuple():
            return [render(item) for item in cast(Sequence[Any], value)]
        case _:
            return value


def functions_in(value: Any) -> Iterator[Function]:
    """Every function in `value`, those inside other functions too."""
    match value:
        case Join():
            yield value
            yield from functions_in(value.values)
        case Function():
            yield value
        case Mapping():
            for item in cast(Mapping[str, Any], value).values():
                yield from functions_in(item)
        case list() | tuple():
            for item in cast(Sequence[Any], value):
                yield from functions_in(item)
        case _:
            pass
