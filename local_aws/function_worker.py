"""The process in which a deployed function runs: loads its handler once, then answers events, as Lambda's runtime does.

Run as a script with the unpacked zip as working directory. Answers leave on file descriptor ANSWER_FD: `{"init": error}` when the
handler is loaded, then one for each event, which arrive as JSON lines on standard input. Standard output and error are the
function's log. Error types and messages are those of Lambda's runtime interface client for Python.
"""

import importlib
import json
import os
import sys
import time
import traceback
import types
from pathlib import Path

# Packages that functions on AWS get from a public layer, and what to install for them on this machine.
PACKAGES_OF_LAYERS = {"aws_lambda_powertools": "local-aws[powertools]"}


class RuntimeFailure(Exception):
    """An error of the runtime: its type and message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def main() -> None:
    """Answer events until standard input closes."""
    answers = os.fdopen(int(os.environ.pop("ANSWER_FD")), "w")

    def answer(content: dict) -> None:
        sys.stdout.flush()
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    sys.stdout.reconfigure(write_through=True)  # ty: ignore[missing-union-attribute]
    sys.path[0] = str(Path.cwd())  # in place of this file's folder, which no function sees
    try:
        handler = _load(os.environ["_HANDLER"])
    except Exception as error:
        answer({"init": _error(error, "")})
        return
    answer({"init": None})
    for line in sys.stdin:
        answer(_invoke(handler, json.loads(line)))


def _load(path: str) -> types.FunctionType:
    name, _, function = path.rpartition(".")
    name = name.replace("/", ".")
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise RuntimeFailure(
            "Runtime.ImportModuleError", f"Unable to import module '{name}': {_hint(error)}"
        ) from error
    if not hasattr(module, function):
        raise RuntimeFailure("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{name}'")
    return getattr(module, function)


def _invoke(handler: types.FunctionType, request: dict) -> dict:
    try:
        result = handler(request["event"], _context(request))
    except Exception as error:
        return {"error": _error(error, request["request_id"])}
    try:
        return {"result": json.loads(json.dumps(result))}
    except (TypeError, ValueError) as error:
        failure = RuntimeFailure("Runtime.MarshalError", f"Unable to marshal response: {error}")
        return {"error": _error(failure, request["request_id"])}


def _context(request: dict) -> types.SimpleNamespace:
    deadline = time.monotonic() + request["timeout"]
    return types.SimpleNamespace(
        aws_request_id=request["request_id"],
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        function_version="$LATEST",
        invoked_function_arn=request["arn"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        identity=None,
        client_context=None,
        get_remaining_time_in_millis=lambda: int((deadline - time.monotonic()) * 1000),
    )


def _error(error: Exception, request_id: str) -> dict:
    print("".join(traceback.format_exception(error)), file=sys.stderr, flush=True)
    of_runtime = isinstance(error, RuntimeFailure)
    return {
        "errorMessage": str(error),
        "errorType": error.kind if isinstance(error, RuntimeFailure) else type(error).__name__,
        "requestId": request_id,
        "stackTrace": [] if of_runtime else traceback.format_tb(error.__traceback__),
    }


def _hint(error: ImportError) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name in PACKAGES_OF_LAYERS:
        return (
            f"{error}. Layers are not run here: `pip install '{PACKAGES_OF_LAYERS[error.name]}'` provides the package"
        )
    return str(error)


if __name__ == "__main__":
    main()
