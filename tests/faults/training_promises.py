"""The promises of trainings: one at a time, none lost, none without a reason, and true reasons."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta

from .machine import INVALID
from .simulation.calls import STALE
from .simulation.names import PREFIX
from .simulation.pipelines import RUNNING
from .simulation.registry import STALE_SECONDS

ALL = ("mistake", "storm", "one at a time", "told of two", "answered", "reason", "asked", "no dead letters", "refused",
       "record")  # fmt: skip
AUTOMATIC, ALARMS = ("schedule", "drift", "quality"), ("drift", "quality")
FOLLOW_UP = re.compile(r" \| follow-up \w+ ([^:]+): ")


@dataclass(frozen=True)
class Trigger:
    """A message that the retrain queue accepted."""

    time: object
    model: str
    kind: str
    message: object


class Ledger:
    """Triggers, starts and skips of one world."""

    def __init__(self, machine):
        self._machine, self._world = machine, machine.world
        self._read, self._started, self._lines, self._broken = 0, 0, 0, []
        self.triggers, self.pairs, self._remembered = [], [], set()
        self._world.pipelines.on_start = self._check_start

    # After each step

    def failures(self):
        self._read_triggers()
        self._read_skips()
        self._read_follow_ups()
        yield from self._broken
        if not self._world.bus.pending and not any(queue.waiting for queue in self._world.sqs.queues.values()):
            yield from self._untold_pairs()

    def _untold_pairs(self):
        """Two trainings that are still in flight when every event has arrived."""
        for time, *both in self.pairs:
            running = all(execution.status in RUNNING for execution in both)
            if running and not any(alert.time >= time for alert in self._world.alerts):
                yield "told of two", f"two trainings of {both[0].pipeline} are in flight, and nobody was told"

    def _read_triggers(self):
        sent = self._world.sqs.sent
        for _, message in sent[self._read :]:
            if message.body in INVALID:
                continue
            body = json.loads(message.body)
            kind = body.get("trigger") or (
                "drift" if body["detail"].get("alarmName", "").endswith("-drift") else "quality"
            )
            if "currentPipelineExecutionStatus" not in body.get("detail", {}):
                self.triggers.append(Trigger(message.sent, message.group, kind, message))
        self._read = len(sent)

    def _check_start(self, execution):
        """Called before an execution starts."""
        world, now = self._world, self._world.clock.now
        beside = world.pipelines.in_flight(execution.pipeline)
        if execution.by != "retrain":
            self.pairs += [(now, beside[0], execution)] if beside else []
            return
        # A list is as old as when the function read it, which may list many objects after that.
        read = world.invoked or now
        unseen = [each for each in beside if read - each.started < timedelta(seconds=STALE_SECONDS)]
        if beside and not (world.stale and unseen == beside):
            self._broken.append(("one at a time", f"a training starts while {beside[0].arn[-4:]} is in flight"))
        elif beside:
            self.pairs.append((now, beside[0], execution))
        kind = execution.request["PipelineExecutionDisplayName"].partition("-")[0]
        model = _model(execution)
        self._read_triggers()
        if not any(trigger.model == model and trigger.kind == kind for trigger in self.triggers):
            self._broken.append(("asked", f"a training starts for {kind}, which nobody triggered"))
        name = execution.request["PipelineExecutionDisplayName"].partition("-retrain-")[2]
        if not any(facts["requests"][0] == name for facts in self._records(model, "started")):
            self._broken.append(("record", f"a training starts for the request {name}, of which no record was sent"))
        if kind in AUTOMATIC and not self._crowded(model) and not world.stale and self._old_data(model):
            self._broken.append(("asked", f"a training starts for {kind} without new data"))

    def _read_skips(self):
        """Each skip has a reason that is true."""
        function = self._world.functions["retrain"]
        new, self._lines = function.lines[self._lines :], len(function.lines)
        for time, line in new:
            if line["message"] != "training skipped":
                continue
            if not self._records(line["model"], "skipped"):
                self._broken.append(("record", f"a training of {line['model']} is skipped without a record"))
            if function.fault_kind == STALE:
                continue
            if text := self._untrue(line["model"], line["reason"], time):
                self._broken.append(("reason", text))

    def _read_follow_ups(self):
        """Each request that waits for the end of an execution has a record that says so."""
        for execution in self._world.pipelines.executions:
            found = FOLLOW_UP.search(execution.request.get("PipelineExecutionDescription") or "")
            if not found or (execution.arn, found[1]) in self._remembered:
                continue
            self._remembered.add((execution.arn, found[1]))
            records = self._records(_model(execution), "remembered")
            if not any(
                (facts["execution"], ",".join(facts["requests"])) == (execution.arn, found[1]) for facts in records
            ):
                text = f"{execution.arn[-4:]} remembers the requests {found[1]}, of which no record was sent: {records}"
                self._broken.append(("record", text))

    def _records(self, model, decision):
        """Facts of the records of a decision."""
        records = self._world.recorder.records(model, "retrain")
        return [record.facts for record in records if record.facts.get("decision") == decision]

    def _untrue(self, model, reason, time):
        """What is wrong with the reason of a skip; empty when it is true."""
        executions = self._world.pipelines.of(self._machine.pipeline(model))
        guards = self._machine.settings[model]["retrain"]
        cooldown = timedelta(seconds=guards["cooldown_seconds"])
        checks = {
            "in flight": any(each.status in RUNNING for each in executions),
            "cooling down": any(time - each.started < cooldown and _kind(each) in AUTOMATIC for each in executions),
            "no new data": self._old_data(model),
            "no data yet": not self._has_data(model),
            "on_drift is off": not guards["on_drift"],
            "on_quality is off": not guards["on_quality"],
            "started failed": sum(each.status == "Failed" and _kind(each) in ALARMS for each in executions)
            >= guards["max_failures"],
        }
        found = [is_true for words, is_true in checks.items() if words in reason]
        if not found:
            return f"a training is skipped for an unknown reason: {reason}"
        return "" if any(found) else f"a training of {model} is skipped for a reason that is not true: {reason}"

    def _has_data(self, model):
        return self._crowded(model) or any(key.startswith(f"{model}/raw/") for _, key in self._world.s3.objects)

    def _crowded(self, model):
        return ("acme-prod-data", f"{model}/raw/") in self._world.s3.crowds

    def _old_data(self, model):
        """Whether no object is newer than the last training's start."""
        executions = self._world.pipelines.of(self._machine.pipeline(model))
        last = max((each.started for each in executions), default=None)
        if last is None:
            return not self._has_data(model)
        times = [time for (_, key), (_, time) in self._world.s3.objects.items() if key.startswith(f"{model}/raw/")]
        return all(time.replace(microsecond=0) <= last for time in times)

    # At rest

    def failures_at_rest(self):
        yield from self.failures()
        for trigger in self.triggers:
            if not self._answered(trigger):
                yield "answered", f"the trigger {trigger.kind} of {trigger.model} led to nothing, and nobody was told"
        if not self._machine.faults and any(self._dead()):
            yield "no dead letters", "messages end in the dead letters, though nothing failed"

    def _dead(self):
        """The dead letters that were valid messages."""
        return [
            letter for queue in self._world.sqs.queues.values() for letter in queue.dead if letter.body not in INVALID
        ]

    def _answered(self, trigger):
        """A training that started since, a skip with its reason (of a person's request: no data), or an alert."""
        since, world = trigger.time, self._world
        executions = world.pipelines.of(self._machine.pipeline(trigger.model))
        if any(each.started >= since for each in executions):
            return True
        if any(alert.time >= since and alert.model in ("", trigger.model) for alert in world.alerts):
            return True
        if trigger.kind not in AUTOMATIC:
            return not self._has_data(trigger.model)
        lines = world.functions["retrain"].lines
        return any(
            time >= since and line["message"] == "training skipped" and line["model"] == trigger.model
            for time, line in lines
        )


def _model(execution):
    return execution.pipeline.removeprefix(f"{PREFIX}-").removesuffix("-train")


def _kind(execution):
    return execution.request.get("PipelineExecutionDisplayName", "").partition("-")[0]
