"""Two environments side by side: what is live in each, by content, and how their configuration differs."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from model_factory.functions.shared.endpoints import describe_endpoint

from ..operations.facts import read_settings
from ..operations.versions import live_package, version_in
from ..project import EnvironmentSession, UsageError
from ..records.chain import newest, recorded_versions
from ..wording import counted
from .changes import Change, Section, compare, neutral
from .data import DIGITS
from .kept import Kept, find

PARALLEL = 8
"""Models that are read at a time."""
SERVICES = ("sagemaker", "s3", "ssm")
_OWN = ("name", "account", "region")
"""What every environment has of its own in factory.yaml."""


@dataclass
class Live:
    """What is live of a model in an environment.

    Args:
        session: The environment.
        model: Name of the model.
        settings: Its settings parameter; None when it is not deployed.
        number: The live version; None without an endpoint.
        kept: What is kept of that version.
        status: Status of the endpoint.
        configuration: Version and content of the settings, as recorded; content without what the environment has of its own.
        problems: What is missing or was altered.
    """

    session: EnvironmentSession
    model: str
    settings: dict[str, Any] | None
    number: int | None = None
    kept: Kept | None = None
    status: str = ""
    configuration: tuple[int | None, Any] = (None, None)
    problems: list[str] = field(default_factory=list[str])

    def digest(self, name: str) -> str | None:
        """SHA-256 of the live version's artifact, its code, or (`content`) its data."""
        if self.kept is None:
            return None
        return self.kept.facts.get("content_digest") if name == "content" else self.kept.digest(name)

    def to_json(self) -> dict[str, Any]:
        """Values that `json.dumps` accepts."""
        return {
            "deployed": self.settings is not None,
            "version": self.number,
            "endpoint_status": self.status or None,
            "model_package": self.kept.record.get("subject") if self.kept else None,
            "origin": self.kept.metadata.get("origin") if self.kept else None,
            "artifact": self.digest("artifact"),
            "code": self.digest("code"),
            "data": self.digest("content"),
            "commit": self.kept.metadata.get("git_commit") if self.kept else None,
            "settings_version": self.configuration[0],
        }


@dataclass(frozen=True)
class ModelComparison:
    """One model in both environments. `relation`: how the live versions relate, in words; `same`: whether they are equal."""

    model: str
    before: Live
    after: Live
    relation: str
    same: bool
    settings: Section

    @property
    def differs(self) -> bool:
        """Whether the artifact or the settings differ."""
        return not self.same or self.settings.differs

    @property
    def problems(self) -> list[str]:
        """What is missing or was altered."""
        return [*self.before.problems, *self.after.problems]

    def to_json(self) -> dict[str, Any]:
        """Values that `json.dumps` accepts."""
        return {
            "model": self.model,
            "relation": self.relation,
            "same": self.same,
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "settings": self.settings.to_json(),
            "problems": self.problems,
        }


@dataclass(frozen=True)
class EnvironmentComparison:
    """Two environments; `factory`: values of factory.yaml."""

    before: EnvironmentSession
    after: EnvironmentSession
    factory: Section
    models: list[ModelComparison]

    @property
    def differs(self) -> bool:
        """Whether a value of factory.yaml or a model differs."""
        return self.factory.differs or any(each.differs for each in self.models)

    @property
    def problems(self) -> list[str]:
        """What is missing or was altered."""
        return [problem for each in self.models for problem in each.problems]


def compare_environments(
    before: EnvironmentSession, after: EnvironmentSession, only: Iterable[str] = ()
) -> EnvironmentComparison:
    """Every model that one of the environments has (`only`: these). Raises UsageError, ClientError."""
    for session in (before, after):
        for service in SERVICES:  # the threads below share the clients
            session.client(service)
    settings = [read_settings(each) for each in (before, after)]
    wanted = sorted(set(only) or {*settings[0], *settings[1]})
    for model in wanted:
        if model not in settings[0] and model not in settings[1]:
            before.project.model(model)  # raises UsageError with the nearest name

    def read(model: str) -> ModelComparison:
        one, other = _live(before, model, settings[0].get(model)), _live(after, model, settings[1].get(model))
        relation, same = relate(one, other)
        return ModelComparison(model, one, other, relation, same, _settings(one, other))

    with ThreadPoolExecutor(PARALLEL) as threads:
        models = list(threads.map(read, wanted))
    entries = [each.environment.model_dump(mode="json", by_alias=True) for each in (before, after)]
    factory = Section("factory.yaml", compare(entries[0], entries[1], _OWN))
    return EnvironmentComparison(before, after, factory, models)


def relate(before: Live, after: Live) -> tuple[str, bool]:
    """How two live versions relate, and whether they are the same artifact."""
    one, other = before.session.environment.name, after.session.environment.name
    for live, name in ((before, one), (after, other)):
        if live.settings is None:
            return f"not deployed in {name}", False
    if before.number is None and after.number is None:
        return "no endpoint in either", True
    for live, name in ((before, one), (after, other)):
        if live.number is None:
            return f"no endpoint in {name}", False
    if before.kept is None or after.kept is None:
        return "cannot be compared", False
    if before.digest("artifact") and before.digest("artifact") == after.digest("artifact"):
        return "same artifact", True
    return _promoted(before, after) or _promoted(after, before) or _trained_apart(before, after), False


def _promoted(source: Live, target: Live) -> str:
    """How far `target` is behind `source`, from which its version was promoted; empty when it was not."""
    group = source.session.names.model(source.model).model_package_group
    own, _, number = (target.kept.metadata if target.kept else {}).get("origin", "").rpartition("/")
    if own != source.session.names.arn("sagemaker", f"model-package/{group}"):
        return ""
    origin, live = int(number), source.number or 0
    name, from_name = target.session.environment.name, source.session.environment.name
    if origin == live:  # other bytes although it is the same version
        return f"{name} has v{origin} of {from_name} with another artifact"
    numbers = recorded_versions(source.session, source.session.names.bucket("records"), source.model)
    apart = len([each for each in numbers if min(origin, live) < each <= max(origin, live)]) or abs(live - origin)
    direction = "behind" if origin < live else "ahead of"
    return f"{name} is {counted(apart, 'version')} {direction} {from_name} (it has v{origin} of {from_name})"


def _trained_apart(before: Live, after: Live) -> str:
    """What two versions that were trained in their environments have in common."""
    said = list[str]()
    for what, name in (("code", "code"), ("data", "content")):
        one, other = before.digest(name), after.digest(name)
        unknown = one is None or other is None
        said.append(f"{what} unknown" if unknown else f"same {what}" if one == other else f"other {what}")
    return f"trained in each: {', '.join(said)}"


def _live(session: EnvironmentSession, model: str, settings: dict[str, Any] | None) -> Live:
    live = Live(session, model, settings)
    if settings is None:
        return live
    _read_configuration(live)
    sagemaker = session.client("sagemaker")
    endpoint = describe_endpoint(sagemaker, settings["endpoint"])
    if endpoint is None:
        return live
    live.status = endpoint["EndpointStatus"]
    live.number = version_in(endpoint["EndpointConfigName"])
    if live.number is None:  # it was not lambda/deploy that made the configuration
        package = live_package(sagemaker, endpoint)
        live.number = package["ModelPackageVersion"] if package else None
    if live.number is not None:
        try:
            live.kept = find(session, model, live.number)
        except UsageError as error:
            live.problems.append(str(error))
    return live


def _read_configuration(live: Live) -> None:
    """The newest record of the settings; a parameter that is not what was recorded last is a problem."""
    name = live.session.environment.name
    entry = newest(live.session, live.session.names.bucket("records"), live.model, "configuration")
    if entry is None or entry.problem:
        why = f"{entry.key} is not what was written: {entry.problem}" if entry else "there is none"
        live.problems.append(f"the record of the settings of {live.model} in {name}: {why}")
    elif entry.record["facts"].get("value") != live.settings:
        live.problems.append(f"the settings of {live.model} in {name} are not those that {entry.key} has")
    version = entry.record.get("facts", {}).get("version") if entry else None
    live.configuration = (version, neutral(live.session)(live.settings))


def _settings(before: Live, after: Live) -> Section:
    section = Section("settings")
    if before.settings is not None and after.settings is not None:
        section.changes = compare(before.configuration[1], after.configuration[1])
    return section


def versions_of(models: list[ModelComparison]) -> list[Change]:
    """A row for each model: what is live in both, and how they relate."""
    return [Change(each.model, _label(each.before), _label(each.after), each.relation) for each in models]


def _label(live: Live) -> str | None:
    if live.number is None:
        return None
    digest = live.digest("artifact")
    ready = "" if live.status == "InService" else f" {live.status}"
    return f"v{live.number}{ready} {digest[:DIGITS] if digest else '-'}"
