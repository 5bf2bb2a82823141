"""Checks the steps of a definition against each other: what they refer to exists, nothing is a cycle, retries fit."""

import re
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from .functions import Execution, Function, Get, JsonGet, Parameter, functions_in
from .mistakes import nearest
from .service_model import property_mistake
from .steps import ConditionStep, ProcessingStep, RegisterModelStep, Step

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def name_mistakes(steps: Sequence[Step], parameters: Sequence[Parameter]) -> Iterator[str]:
    """Mistakes in names: invalid characters and duplicates."""
    for kind, names in (("step", [step.name for step in steps]), ("parameter", [p.name for p in parameters])):
        for name in dict.fromkeys(names):
            if not _NAME.fullmatch(name):
                yield f"{kind} {name!r}: a name has 1 to 64 letters, digits, - and _"
            if names.count(name) > 1:
                yield f"{kind} {name!r} is defined {names.count(name)} times; every name must be different"


def reference_mistakes(steps: Sequence[Step], parameters: Sequence[Parameter]) -> Iterator[str]:
    """Mistakes in references, in the order of the steps."""
    by_name = {step.name: step for step in steps}
    declared = {parameter.name for parameter in parameters}
    for step in steps:
        for function in _functions_of(step):
            mistake = _function_mistake(function, by_name, declared)
            if mistake:
                yield f"step {step.name!r}: {mistake}"
        for name in step.depends_on:
            if name not in by_name:
                yield f"step {step.name!r}: depends on step {name!r}, which is not there; {nearest(name, by_name)}"
        if isinstance(step, ProcessingStep):
            yield from _property_file_mistakes(step)


def retry_mistakes(steps: Sequence[Step]) -> Iterator[str]:
    """Mistakes in retry policies: a step that starts no job has errors of steps only."""
    for step in steps:
        for policy in step.retry_policies if isinstance(step, RegisterModelStep) else ():
            for error in policy.exceptions:
                if not error.startswith("Step."):
                    yield f"step {step.name!r}: {error} is an error of jobs, and {step.type} starts none"


def cycle_mistakes(steps: Sequence[Step]) -> Iterator[str]:
    """Mistakes in the order of steps: cycles."""
    graph: dict[str, set[str]] = {}
    for step in steps:
        graph.setdefault(step.name, set()).update(step.depends_on, _steps_referred(step))
        for branch in step.branches():
            for inner in branch:
                graph.setdefault(inner.name, set()).add(step.name)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"steps wait for each other: {' -> '.join(error.args[1])}"


def _functions_of(step: Step) -> Iterator[Function]:
    yield from functions_in(step.arguments)
    if isinstance(step, ConditionStep):
        for condition in step.conditions:
            yield from functions_in([condition.left, condition.right])


def _steps_referred(step: Step) -> Iterator[str]:
    for function in _functions_of(step):
        if isinstance(function, JsonGet):
            yield function.step
        elif isinstance(function, Get) and function.path.startswith("Steps."):
            yield function.path.split(".")[1]


def _function_mistake(function: Function, steps: Mapping[str, Step], parameters: set[str]) -> str | None:
    match function:
        case Parameter(name=name):
            return None if name in parameters else f"parameter {name!r} is not declared; {nearest(name, parameters)}"
        case JsonGet(step=name, property_file=wanted):
            step = steps.get(name)
            known = [file.name for file in step.property_files] if isinstance(step, ProcessingStep) else []
            if wanted in known:
                return None
            return f"step {name!r} has no property file {wanted!r}; {nearest(wanted, known)}"
        case Get(path=path):
            return _path_mistake(path, steps, parameters)
        case _:
            return None


def _path_mistake(path: str, steps: Mapping[str, Step], parameters: set[str]) -> str | None:
    root, _, rest = path.partition(".")
    name, _, property_path = rest.partition(".")
    match root:
        case "Parameters":
            return None if rest in parameters else f"parameter {rest!r} is not declared; {nearest(rest, parameters)}"
        case "Execution":
            known = Execution.VARIABLES
            return None if rest in known else f"there is no execution variable {rest!r}; {nearest(rest, known)}"
        case "Steps" if name not in steps:
            return f"{path} refers to step {name!r}, which is not there; {nearest(name, steps)}"
        case "Steps":
            operation = steps[name].describe_operation
            mistake = property_mistake(operation, property_path) if operation else _output_mistake(steps[name])
            return f"{path}: {mistake}" if mistake else _named_output_mistake(steps[name], path)
        case _:
            return f"{path!r} starts with {root!r}; {nearest(root, ['Parameters', 'Execution', 'Steps'])}"


def _output_mistake(step: Step) -> str | None:
    """Steps of an unknown type can have any property; conditions and failures have none."""
    return f"a {step.type} step has no properties" if step.type in ("Condition", "Fail") else None


def _named_output_mistake(step: Step, path: str) -> str | None:
    found = re.search(r"\.Outputs\['([^']+)'\]", path)
    if not found or not isinstance(step, ProcessingStep):
        return None
    known = _outputs(step)
    return None if found[1] in known else f"step {step.name!r} has no output {found[1]!r}; {nearest(found[1], known)}"


def _property_file_mistakes(step: ProcessingStep) -> Iterator[str]:
    known = _outputs(step)
    for file in step.property_files:
        if file.output not in known:
            wrong = f"property file {file.name!r} is in output {file.output!r}, which is not there"
            yield f"step {step.name!r}: {wrong}; {nearest(file.output, known)}"


def _outputs(step: ProcessingStep) -> list[str]:
    outputs = step.arguments.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return [output.get("OutputName", "") for output in outputs]
