"""The definition of a pipeline: its parameters and steps, checked together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .functions import Parameter
from .mistakes import DefinitionError
from .references import cycle_mistakes, name_mistakes, reference_mistakes, retry_mistakes
from .service_model import request_mistakes
from .steps import Step

VERSION = "2020-12-01"


@dataclass(frozen=True)
class PipelineDefinition:
    """The definition of a SageMaker pipeline, checked at synth.

    Args:
        steps: Steps of the pipeline.
        parameters: Parameters that the steps refer to. Default: none.

    Raises:
        DefinitionError: SageMaker would reject the definition. The message has every mistake.
    """

    steps: Sequence[Step]
    parameters: Sequence[Parameter] = ()

    def __post_init__(self) -> None:
        mistakes = list(self._mistakes())
        if mistakes:
            raise DefinitionError(mistakes)

    def _mistakes(self) -> Iterator[str]:
        steps = [inner for step in self.steps for inner in step.walk()]
        yield from name_mistakes(steps, self.parameters)
        for step in steps:
            if step.operation:
                for mistake in request_mistakes(step.operation, step.arguments, step.generated):
                    yield f"step {step.name!r}: {mistake}"
        yield from reference_mistakes(steps, self.parameters)
        yield from retry_mistakes(steps)
        yield from cycle_mistakes(steps)

    def render(self) -> dict[str, Any]:
        """The definition as data; CDK tokens in it are still unresolved."""
        return {
            "Version": VERSION,
            "Metadata": {},
            "Parameters": [parameter.declaration() for parameter in self.parameters],
            "Steps": [step.definition() for step in self.steps],
        }
