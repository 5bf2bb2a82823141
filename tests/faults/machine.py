"""What the machines have in common: a world, steps, the bus, time, and the check of the promises."""

import json

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from . import promises
from .simulation import calls
from .simulation.calls import Fault
from .simulation.world import World

KINDS = (
    calls.KILLED_AFTER, calls.KILLED_BEFORE, calls.THROTTLED, calls.UNAVAILABLE, calls.REPEATED, calls.NO_ANSWER,
    calls.STALE, calls.NOT_DELETED,
)  # fmt: skip
FAULTS = st.none() | st.builds(Fault, st.sampled_from(KINDS), st.integers(0, 14))
INVALID = (
    "redeploy it",
    "[]",
    json.dumps({"model": "unknown", "trigger": "manual", "reason": "because", "id": "1"}),
    json.dumps({"model": "churn", "trigger": "manual", "reason": "because"}),
    json.dumps({"model": "churn", "trigger": "by hand", "reason": "because", "id": "1"}),
    json.dumps(
        {"source": "aws.sagemaker", "detail-type": "SageMaker Endpoint State Change", "id": "1", "account": "1"}
    ),
)
"""Bodies that are no message: not JSON, no object, an unknown model, a missing field, a wrong value, an event without content."""
WAITS = (("10 seconds", 10), ("6 minutes", 361), ("an hour", 3600), ("a day", 86400))
ROUNDS = 300
MOST_INVALID = 2
"""Invalid messages of one example: without a limit half of all invocations are about them."""


class Machine(RuleBasedStateMachine):
    """One world. Subclasses name the functions and queues, and say what may happen and what was promised."""

    steps = 0
    functions, queues, wanted = (), (), ()

    def __init__(self):
        super().__init__()
        self.world, self.broken = World(), False
        self.invalid = []

    @property
    def faults(self):
        """Number of faults that were tried."""
        return self.world.calls.faults

    def step(self, line=None):
        """Count a step."""
        type(self).steps += 1
        self.world.clock.advance(1)
        if line:
            self.world.tell(line)

    @precondition(lambda self: self.world.bus.pending)
    @rule(index=st.integers(0, 3), keep=st.sampled_from([False, False, True]))
    def the_bus_delivers(self, index, keep):
        self.step()
        self.world.bus.deliver(index, keep=keep)

    @rule(rounds=st.integers(1, 6), fault=FAULTS)
    def all_goes_on(self, rounds, fault):
        """Events arrive in order and functions run; the first run has the fault."""
        for _ in range(rounds):
            self.step()
            if self.world.bus.pending:
                self.world.bus.deliver(0)
            elif self.run_all(fault):
                fault = None
            else:
                return

    @precondition(lambda self: self.queues and len(self.invalid) < MOST_INVALID)
    @rule(body=st.sampled_from(INVALID))
    def somebody_sends_an_invalid_message(self, body):
        self.step(f"somebody sends {body}")
        self.invalid.append(self.world.sqs.put(self.queues[0], body, "churn"))

    @rule(wait=st.sampled_from(WAITS))
    def time_passes(self, wait):
        self.step(f"{wait[0]} later")
        self.world.clock.advance(wait[1])

    @invariant()
    def promises_hold(self):
        self.check(self.failures())

    def teardown(self):
        if self.broken:
            return
        self.world.tell("--- the faults stop, and everything that is on its way arrives")
        self.settle()
        self.check(self.failures_at_rest())

    def run_all(self, fault=None):
        """Every function takes its next batch; whether there was one."""
        return sum(self.world.run_function(name, fault) for name in self.functions) > 0

    def settle(self):
        """Let everything that is on its way arrive, without faults."""
        world = self.world
        for _ in range(ROUNDS):
            world.clock.advance(1)
            if world.bus.pending:
                world.bus.deliver(0)
            elif self.run_all():
                self.check(self.failures())
            elif not (self.end_changes() or self._wait()):
                return
        self.check([("storm", f"after {ROUNDS} more rounds there is still something to do")])

    def end_changes(self):
        """End one of the changes that are in progress; whether there was one."""
        hosting = self.world.hosting
        for name, endpoint in list(hosting.endpoints.items()):
            if endpoint.deployment:
                self.world.tell("the deployment ends: in service")
                hosting.end_deployment(name)
            elif endpoint.status == "Deleting":
                self.world.tell("the endpoint is gone")
                hosting.end_deletion(name)
            elif endpoint.status == "SystemUpdating":
                hosting.system_update(name, False)
            else:
                continue
            return True
        return False

    def _wait(self):
        """Wait until a message becomes visible; whether there is one."""
        now = self.world.clock.now
        times = [m.visible for name in self.queues for m in self.world.sqs.queues[name].messages if m.visible > now]
        if not times:
            return False
        self.world.clock.now = min(times)
        return True

    def failures(self):
        """Broken promises after a step, as (name, sentence)."""
        yield from promises.always(self.world)

    def failures_at_rest(self):
        """Broken promises when all is quiet, as (name, sentence)."""
        for message in self.invalid:
            if not any(alert.time >= message.sent and _is_refusal(alert) for alert in self.world.alerts):
                yield "refused", f"nobody was told of the invalid message {message.body}"

    def check(self, failures):
        for name, text in failures:
            if name in self.wanted:
                self.broken = True
                raise promises.Broken(text, self.world.story)


def _is_refusal(alert):
    """Whether an alert or the alarm reports a message that ended in the dead letters."""
    return alert.cause == "message-refused" or alert.cause.startswith("dead letter")
