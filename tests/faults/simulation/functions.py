"""The real functions, imported as from their zips, with simulated clients and simulated time; and their invocations."""

import importlib
import io
import json
import os
import sys
import urllib.error
import urllib.request
from collections import Counter
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from .calls import Killed, Simulated
from .clock import replace_time
from .names import ACCOUNT, PREFIX, REGION, arn
from .queues import DEAD_LETTERS, queue_url

LAMBDA = Path(__file__).parents[3] / "lambda"
VARIABLES = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "FACTORY_ENVIRONMENT": "prod",
    "MODELS_PARAMETER_PREFIX": "/acme/prod/models/",
    "POWERTOOLS_METRICS_NAMESPACE": "ModelFactory",
    "POWERTOOLS_SERVICE_NAME": "faults",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "PIPELINE": "acme-delivery",
    "RECORDER_QUEUE_URL": queue_url(f"{PREFIX}-recorder.fifo"),
    "REPORTS": "acme-delivery-reports",
    "PARALLEL": "1",
    "TIMEOUT_SECONDS": "14400",
    "ENVIRONMENTS": json.dumps(
        {
            "prod": {
                "prefix": PREFIX,
                "factory": "acme",
                "account": ACCOUNT,
                "region": REGION,
                "approval": "automatic",
                "role": f"arn:aws:iam::{ACCOUNT}:role/acme-prod-delivery",
            }
        }
    ),
}

MISTAKES = ("TypeError", "AttributeError", "NameError", "KeyError", "IndexError", "AssertionError", "ZeroDivisionError")

TRIED = Counter()
"""Invocations of all worlds by function and kind of fault."""

_current = {}


def enter(world):
    """Make `world` the one that the functions see."""
    _current["world"] = world


def _world():
    return _current["world"]


@cache
def load(name):
    """The handler module of a function. Its modules stay out of `sys.modules`, as other functions have some of the same names."""
    folder = LAMBDA / name
    own = {path.stem for path in folder.glob("*.py")} | {"shared"}
    hidden = _pop(own)
    os.environ.update(VARIABLES)
    sys.path[:0] = [str(folder), str(LAMBDA)]
    try:
        clients = importlib.import_module("shared.clients")
        clients.client = _client
        handler = importlib.import_module("handler")
    finally:
        sys.path[:2] = []
        modules = _pop(own)
        sys.modules.update(hidden)
    if environment := modules.get("environment"):
        environment._client = lambda service, role, region: _client(service)
    if commit := modules.get("commit"):
        commit._deployed_stacks = (
            commit._deployed_stacks.__wrapped__
        )  # it is kept for the life of a process, not of a world
    if protocol := modules.get("shared.custom_resource"):
        protocol.urllib = SimpleNamespace(
            error=urllib.error,
            request=SimpleNamespace(Request=urllib.request.Request, urlopen=lambda put, **_: _world().respond(put)),
        )
    for module in modules.values():
        replace_time(module, lambda: _world().clock)
    return handler


def _pop(names):
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in names}


@cache
def _client(service, max_attempts=5):
    return Simulated(service, _world)


class Function:
    """One deployed function that reads a queue."""

    def __init__(self, world, name, timeout, queue="", max_receives=0):
        self._world, self.name, self.timeout = world, name, timeout
        dead_letters = queue.removesuffix(".fifo") + DEAD_LETTERS
        self._variables = {
            "QUEUE_URL": queue_url(queue),
            "DEAD_LETTER_QUEUE_URL": queue_url(dead_letters),
            "MAX_RECEIVES": str(max_receives),
            **VARIABLES,
        }
        self.module = load(name.replace("-", "_"))
        self.lines, self.fault_kind, self.killed = [], "", False
        self.invocations = 0

    def invoke(self, event, fault=None):
        """The handler's answer, or None when the function was killed or timed out. Log lines are kept in `lines`."""
        world = self._world
        os.environ.update(self._variables)
        self.module.logger.registered_handler.setStream(_Log(self))
        TRIED[self.name, fault.kind if fault else "no fault"] += 1
        self.invocations, self.fault_kind = self.invocations + 1, fault.kind if fault else ""
        deadline = world.clock.now.timestamp() + self.timeout
        context = SimpleNamespace(
            invoked_function_arn=arn("lambda", f"function:{PREFIX}-{self.name}"),
            function_name=f"{PREFIX}-{self.name}",
            memory_limit_in_mb=512,
            aws_request_id="request",
            log_stream_name="stream",
            get_remaining_time_in_millis=lambda: int((deadline - world.clock.now.timestamp()) * 1000),
        )
        world.calls.invocation(fault)
        world.deadline, world.actor, self.killed = deadline, self.name, False
        world.invoked = world.clock.now
        try:
            return self.module.handler(event, context)
        except Killed:
            self.killed = True
            return None
        finally:
            world.calls.invocation(None)
            world.deadline, world.actor, world.invoked = None, "a person", None

    def batch(self, records, fault=None):
        """Ids of the messages that a batch leaves in the queue: all of them when the function raises, is killed or times out."""
        everything = {record["messageId"] for record in records}
        self._world.repeats = any(int(record["attributes"]["ApproximateReceiveCount"]) > 1 for record in records)
        try:
            answer = self.invoke({"Records": records}, fault)
        except Exception as error:
            self._world.tell(f"  … {self.name} raises {type(error).__name__}: {error}"[:260])
            self._check_mistake(type(error).__name__, error)
            return everything
        return everything if answer is None else {item["itemIdentifier"] for item in answer["batchItemFailures"]}

    def _check_mistake(self, kind, error):
        """A mistake of our own in Python is a defect, whatever the queue does then."""
        if kind in MISTAKES:
            self._world.defects.append(f"the function {self.name} raised {kind}: {error}")

    def log(self, line):
        """Keep a line of the function's log, and tell it."""
        self.lines.append((self._world.clock.now, line))
        self._check_mistake(line.get("exception_name"), line.get("exception"))
        why = line.get("reason") or line.get("why") or line.get("exception", "").strip().rpartition("\n")[2]
        self._world.tell(f"  … {self.name} says: {line['message']}{f' ({why})' if why else ''}"[:260])


class _Log(io.TextIOBase):
    """A function's standard output: JSON lines."""

    def __init__(self, function):
        self._function = function

    def write(self, text):
        for line in text.splitlines():
            if line.strip():
                self._function.log(json.loads(line))
        return len(text)
