"""One simulated account with one environment: services, bus, queues and functions, and the story of what happened."""

import contextlib
import json
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace

from .buckets import Buckets
from .bus import Bus, summary
from .calls import NOT_DELETED, STALE, Calls
from .clock import Clock
from .codepipeline import CodePipeline
from .functions import Function, enter
from .hosting import Hosting
from .names import PREFIX, arn, settings
from .pipelines import Pipelines
from .queues import Sqs, record
from .recorder import Recorder
from .registry import STALE_SECONDS, Registry
from .services import S3, AutoScaling, CloudWatch, Ssm

BATCH, MAX_RECEIVES = 1, 5
"""Of the event source mappings, and of the queues (constructs/model_factory/core)."""


@dataclass(frozen=True)
class Alert:
    """Something that people were told, and when."""

    time: object
    cause: str
    model: str
    version: int | None
    why: str


class World:
    """Everything of one example. `tell` writes the story; `alerts` is what people were told."""

    def __init__(self):
        self.clock, self.story, self.alerts, self.defects = Clock(), [], [], []
        self.began = self.clock.now - timedelta(days=30)
        self.deadline, self.actor, self.stale, self.repeats = None, "a person", False, False
        self.invoked = None
        self.bus, self.sqs = Bus(self), Sqs(self)
        self.registry, self.hosting, self.pipelines = Registry(self), Hosting(self), Pipelines(self)
        self.s3, self.ssm, self.cloudwatch, self.scaling = S3(self), Ssm(self), CloudWatch(self), AutoScaling(self)
        self.buckets = Buckets(self)
        self.codepipeline, self.recorder = CodePipeline(self), Recorder(self)
        self.functions, self.responses = {}, []
        self.calls = Calls(
            self,
            {
                "sagemaker": _Together(self.registry, self.hosting, self.pipelines),
                "s3": _Together(self.s3, self.buckets),
                "ssm": self.ssm,
                "cloudwatch": self.cloudwatch,
                "application-autoscaling": self.scaling,
                "events": self.bus,
                "codepipeline": self.codepipeline,
                "sagemaker-runtime": self.hosting,
                "sqs": self.sqs,
            },
        )
        enter(self)

    @property
    def out_of_time(self):
        """Whether the running function is past its timeout."""
        return self.deadline is not None and self.clock.now.timestamp() > self.deadline

    @property
    def listed_until(self):
        """Lists show what had happened until then."""
        return self.clock.now - timedelta(seconds=STALE_SECONDS) if self.stale else self.clock.now

    def tell(self, line):
        self.story.append(f"{self.clock.label()}  {line}")

    def alert(self, detail):
        """An alert of Model Factory that EventBridge accepted."""
        version = detail.get("version")
        self.tell(f"  … people are told: {detail['cause']}: {detail['what']} {detail['why']}"[:260])
        self.alerts.append(
            Alert(self.clock.now, detail["cause"], detail["model"], version and int(version), detail["why"])
        )

    def notify(self, what, why):
        """A notification by an alarm or a rule of the environment."""
        self.tell(f"  … people are notified: {what}: {why}"[:260])
        self.alerts.append(Alert(self.clock.now, what, "", None, why or ""))

    def add_model(self, name, **changes):
        """The stack of a model: its parameter."""
        content = settings(name)
        for part, values in changes.items():
            content[part] |= values
        self.configure(content)
        return content

    def configure(self, content):
        self.ssm.put(f"/acme/prod/models/{content['model']}", content)

    def add_function(self, name, *, timeout=60, batch=BATCH, max_receives=MAX_RECEIVES):
        """A function and its FIFO queue."""
        self.functions[name] = Function(self, name, timeout, queue_name(name), max_receives)
        self.sqs.create(queue_name(name), 6 * timeout, max_receives, batch)

    def add_custom_resource(self, name, timeout):
        """A function that CloudFormation invokes."""
        self.functions[name] = Function(self, name, timeout)

    def respond(self, put):
        """CloudFormation gets the response of a custom resource."""
        content = json.loads(put.data)
        self.tell(f"  … CloudFormation gets {content['Status']} {content['Reason']}"[:260])
        self.responses.append(content)
        return contextlib.nullcontext(SimpleNamespace(status=200))

    def run_function(self, name, fault=None):
        """Lambda's next invocation for a queue; whether there was a batch."""
        queue = queue_name(name)
        batch, dead = self.sqs.receive(queue), self.sqs.queues[queue].dead
        self._notify_dead_letters(queue, dead)
        if not batch:
            return False
        self.tell(f"the function {name} runs with {', '.join(map(describe, batch))}{f', {fault}' if fault else ''}")
        self.stale = fault is not None and fault.kind == STALE
        left = self.functions[name].batch([record(each, arn("sqs", queue)) for each in batch], fault)
        self.stale = False
        for message in batch:
            if message.id not in left and not (fault and fault.kind == NOT_DELETED):
                self.sqs.delete(queue, message)
        self._notify_dead_letters(queue, dead)
        return True

    def _notify_dead_letters(self, queue, dead):
        """The alarm on dead letters."""
        for message in dead:
            if not message.notified:
                message.notified = True
                self.notify(f"dead letter in {queue}", describe(message))


class _Together:
    """Several parts of one service."""

    def __init__(self, *parts):
        self._parts = parts

    def __getattr__(self, operation):
        for part in self._parts:
            if (found := getattr(part, operation, None)) is not None:
                return found
        raise AttributeError(operation)


def queue_name(function):
    return f"{PREFIX}-{function}.fifo"


def describe(message):
    """A message in a few words."""
    try:
        content = json.loads(message.body)
    except ValueError:
        content = None
    if not isinstance(content, dict) or (content.get("detail", {}) == {} and "detail-type" in content):
        return repr(message.body[:40])
    again = f" (attempt {message.received})" if message.received > 1 else ""
    if "detail" in content:
        return f"{summary(content)}{again}"
    return f"{content.get('trigger', content.get('kind', '?'))} request{again}"
