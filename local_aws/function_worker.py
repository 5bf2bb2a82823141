"""The process in which a deployed function runs: loads its handler once, then answers events, as Lambda's runtime does.

Run as a script with the unpacked zip as working directory. Events arrive as JSON lines on standard input, answers leave on
file descriptor ANSWER_FD; standard output and error are the function's log.
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


def main() -> None:
    """Answer events until standard input closes."""
    answers = os.fdopen(int(os.environ.pop("ANSWER_FD")), "w")
    sys.path.insert(0, str(Path.cwd()))
    module, _, name = os.environ["_HANDLER"].rpartition(".")
    try:
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
        failure = None
    except BaseException as error:
        handler, failure = None, _error(error)
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"error": failure} if handler is None else _invoke(handler, request)
        sys.stdout.flush()
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _invoke(handler: object, request: dict) -> dict:
    try:
        result = handler(request["event"], _context(request))  # type: ignore[operator]
        return {"result": json.loads(json.dumps(result))}
    except BaseException as error:
        return {"error": _error(error)}


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


def _error(error: BaseException) -> dict:
    print("".join(traceback.format_exception(error)), file=sys.stderr, flush=True)
    text = str(error)
    if isinstance(error, ModuleNotFoundError) and error.name in PACKAGES_OF_LAYERS:
        text += f". Layers are not run here: `pip install '{PACKAGES_OF_LAYERS[error.name]}'` provides the package"
    return {
        "errorMessage": text,
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


if __name__ == "__main__":
    main()
