"""Writes the definition of one pipeline.py: run as `python <this folder>`, with a request on standard input as JSON.

It runs under the Python that has the SDK which pipeline.py needs, so it imports nothing of Model Factory. The answer is a file:
the definition and the files that it uploads, or one sentence about what is wrong.
"""

import importlib.util
import inspect
import json
import os
import sys
import traceback
from base64 import b64encode
from pathlib import Path
from types import ModuleType
from typing import Any

from aws_calls import AwsCalls, RefusedError


class Mistake(Exception):
    """What a person has to change; `line` of pipeline.py, when it is known. `of_function`: a function with @step is the cause."""

    def __init__(self, message: str, line: int | None = None, of_function: bool = False) -> None:
        super().__init__(message)
        self.line, self.of_function = line, of_function


def main() -> None:
    """Read the request, write the answer to `target`."""
    request = json.load(sys.stdin)
    target = Path(request["target"])
    calls = AwsCalls(request["account"], request["values"]["default_bucket"], request["values"]["role"])
    try:
        answer = _answer(request, calls)
    except Mistake as mistake:
        answer = {"mistake": str(mistake), "line": mistake.line, "of_function": mistake.of_function}
    target.write_text(json.dumps(answer), encoding="utf-8")


def _answer(request: dict[str, Any], calls: AwsCalls) -> dict[str, Any]:
    path = Path(request["pipeline"])
    sys.path[0] = str(path.parent)
    os.chdir(path.parent)
    try:
        calls.install()
        module = _load(path)
        definition = json.loads(_pipeline(module, request).definition())
    except Mistake:
        raise
    except BaseException as error:
        raise _mistake(path, error, calls.refused) from None
    if calls.refused_call:
        raise Mistake(str(calls.refused_call))
    files = {key: b64encode(content).decode() for key, content in calls.uploads.items()}
    return {"definition": definition, "files": files, "sdk": _sdk()}


def _pipeline(module: ModuleType, request: dict[str, Any]) -> Any:
    """What get_pipeline returns."""
    function = getattr(module, "get_pipeline", None)
    if not callable(function):
        raise Mistake("defines no function get_pipeline(region, role, default_bucket, …)")
    pipeline = function(**_arguments(function, request["values"], request["arguments"]))
    if not hasattr(pipeline, "definition"):
        raise Mistake(f"get_pipeline returns {type(pipeline).__name__}; it must return a Pipeline of the SageMaker SDK")
    return pipeline


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("pipeline", path)
    if spec is None or spec.loader is None:
        raise Mistake("cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules["pipeline"] = module
    spec.loader.exec_module(module)
    return module


def _arguments(function: Any, values: dict[str, str], given: dict[str, Any]) -> dict[str, Any]:
    """The arguments that a function takes: those of AWS's templates that it names, and those of model.yaml."""
    parameters = inspect.signature(function).parameters
    line = function.__code__.co_firstlineno if hasattr(function, "__code__") else None
    open_ended = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    if taken := [name for name in given if name in values]:
        raise Mistake(f"Model Factory gives {', '.join(taken)} to get_pipeline; remove it from pipeline.arguments")
    if unknown := [name for name in given if name not in parameters and not open_ended]:
        raise Mistake(
            f"get_pipeline has no parameter {', '.join(unknown)}, which pipeline.arguments of model.yaml gives; it has "
            f"{', '.join(parameters)}",
            line,
        )
    offered = {**values, **given}
    needed = [
        name
        for name, each in parameters.items()
        if each.default is inspect.Parameter.empty
        and each.kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        and name not in offered
    ]
    if needed:
        raise Mistake(
            f"get_pipeline needs a value for {', '.join(needed)}; give it in pipeline.arguments of model.yaml, or give the "
            f"parameter a default. Model Factory gives {', '.join(values)}",
            line,
        )
    return {name: value for name, value in offered.items() if name in parameters or open_ended}


def _mistake(path: Path, error: BaseException, refused: RefusedError | None) -> Mistake:
    """What went wrong in pipeline.py, at its own deepest line."""
    every = traceback.extract_tb(error.__traceback__)
    frames = [each for each in every if Path(each.filename) == path]
    line = frames[-1].lineno if frames else getattr(error, "lineno", None)
    of_function = any(Path(each.filename).name == "function_step.py" for each in every)
    if refused or isinstance(error, RefusedError):
        return Mistake(str(refused or error), line)
    if isinstance(error, SyntaxError):
        return Mistake(f"syntax error: {error.msg}", error.lineno)
    if isinstance(error, ImportError):
        return Mistake(_missing(error), line)
    reason = " ".join(str(error).split())[:600]
    return Mistake(f"get_pipeline raises {type(error).__name__}: {reason}", line, of_function)


def _missing(error: ImportError) -> str:
    name = error.name or ""
    reason = f"cannot import: {error}"
    if not name.startswith("sagemaker"):
        return f"{reason}. Write its library into pipeline-requirements.txt beside pipeline.py, with the SageMaker SDK"
    return (
        f"{reason}. This is SageMaker SDK {_sdk() or 'unknown'}; write the SDK that pipeline.py needs into "
        "pipeline-requirements.txt beside it, such as `sagemaker<3`"
    )


def _sdk() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("sagemaker")
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main()
