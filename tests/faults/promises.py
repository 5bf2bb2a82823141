"""The promises to a platform team, checked against the simulated AWS: `always` after each step, `finally_` when all is quiet."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from .simulation.hosting import challenger_of, version_of
from .simulation.registry import STALE_SECONDS

DEPLOYMENTS = ("mistake", "asked", "storm", "live", "told", "record", "refused")
CALLS_PER_MESSAGE = 40
WINDOW = timedelta(days=1)
"""The same cause is told once within it."""


class Broken(AssertionError):
    """A broken promise, with the story of the events that led to it."""

    def __init__(self, promise, story):
        self.promise, self.story = promise, list(story)
        super().__init__("\n".join([promise, "", *story]))


@dataclass(frozen=True)
class Asked:
    """Somebody asked for a deployment: of a version, or of what is right now (None)."""

    time: object
    version: int | None


class Requests:
    """What people, trainings and stacks asked for, and the deployments that were checked against it."""

    def __init__(self, world, group):
        self._world, self._group = world, group
        self.requests, self.checked = [], 0
        self.deletions = []

    def asked(self, version):
        self.requests.append(Asked(self._world.clock.now, version))

    def deleted(self, config):
        self.deletions.append((self._world.clock.now, config))

    def unasked(self):
        """Deployments since the last check that nobody asked for."""
        hosting = self._world.hosting
        new, self.checked = hosting.deployments[self.checked :], len(hosting.deployments)
        for deployment in new:
            version = version_of(hosting, deployment.config)
            if deployment.by != "deploy":
                continue
            wanted = self._newest_approved(deployment.invoked, deployment.started)
            if version not in wanted:
                yield f"version {version} is deployed, but the newest approved one is {wanted}"
            before = [
                d for d in hosting.deployments if d.config == deployment.config and d.ended and d is not deployment
            ]
            if not before or before[-1].outcome == "succeeded" or self._completes_message(deployment, before[-1]):
                continue
            if not self._asked_since(before[-1].started, version):
                yield f"version {version} is deployed again, which was {before[-1].outcome}, and nobody asked for it again"

    def _completes_message(self, deployment, before):
        """Whether a message that SQS delivers again has its endpoint created after all.

        A function was killed, or its success did not reach SQS, and then a person deleted the endpoint. What was known of the
        deployment were the endpoint's tags, so the message looks as if the function had been killed before its call.
        """
        deleted = any(time >= before.started for time, _ in self.deletions)
        return deployment.repeats and deployment.previous is None and deleted

    def _asked_since(self, time, version):
        return any(request.version in (None, version) and request.time >= time for request in self.requests)

    def _newest_approved(self, begin, time):
        """Number of the newest approved version, by any list that may have been read between two times.

        The version that an event names is described, and that answer is never old: it is approved also where the list lacks it.
        """
        versions, oldest = self._world.registry.of(self._group), begin - timedelta(seconds=STALE_SECONDS)
        changes = sorted({when for v in versions for when, *_ in v.history if oldest < when < time}, reverse=True)
        described = [v.number for v in versions if v.status_at(time) == "Approved"]
        numbers = []
        for when in (time, *changes, oldest):
            listed = max((v.number for v in versions if v.status_at(when) == "Approved"), default=None)
            numbers += [listed, *(max(number, listed or 0) for number in described)]
        return list(dict.fromkeys(numbers))


def always(world):
    """Broken promises after a step, as (name, sentence)."""
    yield from (("mistake", defect) for defect in world.defects)
    if world.calls.number > CALLS_PER_MESSAGE:
        yield "storm", f"one invocation made {world.calls.number} calls"


def deployments_at_rest(machine):
    """Broken promises when all is quiet, as (name, sentence)."""
    yield from (("live", text) for text in _not_live(machine))
    yield from (("told", text) for text in _untold(machine))
    yield from (("record", text) for text in _records(machine))


def _not_live(machine):
    world, endpoint = machine.world, machine.world.hosting.endpoints.get(machine.name)
    version = world.registry.newest_approved(machine.name)
    if version is None:
        return
    attempts = [d for d in world.hosting.deployments if version_of(world.hosting, d.config) == version.number]
    if endpoint and endpoint.status == "InService" and _as_configured(machine, endpoint.config, version.number):
        return
    since = attempts[-1].started if attempts else version.history[-1][0]
    if _told(world, version.number, since):
        return
    # The alert about a deletion says that no version is deployed, whichever it was that the endpoint had.
    if endpoint is None and any(alert.time >= since and alert.cause == "endpoint-deleted" for alert in world.alerts):
        return
    state = f"the endpoint is {endpoint.status} with {endpoint.config}" if endpoint else "there is no endpoint"
    yield f"version {version.number} is approved, {state}, the settings are {machine.short_settings()}, and nobody was told"


def _as_configured(machine, config, version):
    """Whether a configuration serves the version as the settings say."""
    hosting, serving = machine.world.hosting, machine.settings["serving"]
    if version_of(hosting, config) != version:
        return False
    request = hosting.configs[config]
    variant = request["ProductionVariants"][0]
    model = hosting.models[variant["ModelName"]]
    captured = request.get("DataCaptureConfig", {}).get("InitialSamplingPercentage", 0)
    return (
        variant["InstanceType"] == serving["instance"]
        and model.get("VpcConfig") == serving.get("vpc_config")
        and captured == serving["capture_percent"]
    )


def _untold(machine):
    world = machine.world
    for deployment in world.hosting.deployments:
        version = challenger_of(world.hosting, deployment.config) or version_of(world.hosting, deployment.config)
        if deployment.outcome in ("failed", "rolled back") and not _told(world, version, deployment.ended - WINDOW):
            yield f"the deployment of version {version} {deployment.outcome} ({deployment.reason}), and nobody was told"
    expected = world.registry.newest_approved(machine.name) is None
    for time, config in machine.ledger.deletions:
        if not expected and not any(alert.time >= time - WINDOW and "delete" in alert.cause for alert in world.alerts):
            yield f"the endpoint with {config} was deleted, and nobody was told"


def _told(world, version, since):
    return any(alert.time >= since and alert.version in (None, version) for alert in world.alerts)


def _records(machine):
    """One record for each deployment that SageMaker ended and for each deletion by hand, and no other."""
    world = machine.world
    happened = Counter((d.config, d.previous, d.outcome) for d in world.hosting.deployments if d.ended)
    happened += Counter((config, config, "deleted") for _, config in machine.ledger.deletions)
    written = Counter(
        (record.facts["configuration"], record.facts["previous"], record.facts["outcome"])
        for record in world.recorder.records(machine.model, "deployment")
    )
    for (config, previous, outcome), number in (happened - written).items():
        yield f"{number} deployment(s) of {config} after {previous} that {outcome} have no record; records: {dict(written)}"
    for (config, previous, outcome), number in (written - happened).items():
        yield f"{number} record(s) of {config} after {previous} that {outcome}, which did not happen: {dict(happened)}"
