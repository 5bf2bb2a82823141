"""The steps that a selective execution runs, and those whose results it takes from an earlier execution.

Source: SageMaker developer guide, "Selective execution of pipeline steps". The register of rules has what StartPipelineExecution
refuses of a definition alone; here is what depends on the source's steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...json_api import Record, ServiceError
from ...step_graph import graph, reused


@dataclass(frozen=True)
class Selection:
    """`selected`: None for an execution of all steps. `taken`: not selected, but selected steps wait for them.

    `source`: the Execution whose results these have.
    """

    selected: frozenset[str] | None = None
    taken: frozenset[str] = field(default_factory=frozenset)
    source: Any = None

    def includes(self, name: str) -> bool:
        """Whether the execution has the step; the others do not run and are not listed."""
        return self.selected is None or name in self.selected or name in self.taken

    def reuses(self, name: str) -> bool:
        """Whether the step's result is that of the source."""
        return name in self.taken


EVERYTHING = Selection()


def selection(request: Record, definition: Record, executions: Mapping[str, Any]) -> Selection:
    """What a StartPipelineExecution request selects. Raises ServiceError when the source lacks a result.

    Args:
        request: Parameters of StartPipelineExecution.
        definition: The pipeline's definition.
        executions: All executions by ARN.
    """
    if (config := request.get("SelectiveExecutionConfig")) is None:
        return EVERYTHING
    selected = frozenset(step["StepName"] for step in config["SelectedSteps"])
    taken = frozenset(reused(graph(definition["Steps"]), selected))
    source = executions[config["SourcePipelineExecutionArn"]] if taken else None
    lacking = [name for name in sorted(taken) if source and source.steps.get(name, {}).get("StepStatus") != "Succeeded"]
    if lacking:
        raise ServiceError(
            f"Invalid SourcePipelineExecutionArn: {config['SourcePipelineExecutionArn']}. "
            f"It has no result of the steps [{', '.join(lacking)}], on which selected steps depend"
        )
    return Selection(selected, taken, source)
