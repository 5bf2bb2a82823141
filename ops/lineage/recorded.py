"""What the records of a version say about it: registration, decision, training, who asked for it, and its evidence."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from botocore.exceptions import ClientError

from model_factory.functions.shared.chain import digest, evidence_key
from model_factory.functions.shared.errors import error_code

from ..project import EnvironmentSession
from ..records.chain import Entry, find, newest, of_kind
from ..records.decisions import newest_decision
from ..records.files import AlteredFileError, MissingFileError, content
from ..records.objects import S3Objects
from ..records.schema import facts_of, time_of
from .links import Link, known

REQUESTED = timedelta(hours=1)
"""Longest time between the message that a training is started for and the start: attempts of the retrain function included."""
CLOCKS = timedelta(minutes=5)
"""Difference between the clocks of services."""


@dataclass(frozen=True)
class Recorded:
    """Records of one version in one environment; None: there is none.

    Args:
        session: The environment.
        model: Name of the model.
        registration: The newest record of the registration of this number.
        decision: The newest record of an approval or rejection that took effect.
        absent: Why there are no records; empty: the bucket is there.
    """

    session: EnvironmentSession
    model: str
    registration: Entry | None = None
    decision: Entry | None = None
    absent: str = ""
    _read: dict[str, bytes | None] = field(default_factory=dict[str, bytes | None])
    _rare: dict[str, list[Entry]] = field(default_factory=dict[str, list[Entry]])

    @classmethod
    def of(cls, session: EnvironmentSession, model: str, version: int) -> "Recorded":
        """Read them; the number of calls does not depend on the number of versions. Raises ClientError."""
        bucket = session.names.bucket("records")
        try:
            registration = newest(session, bucket, model, "registration", version)
            since = time_of(registration.record) if registration else None
            decision = newest_decision(session, bucket, model, version, since)
        except ClientError as error:
            if error_code(error) != "NoSuchBucket":
                raise
            return cls(session, model, absent=f"the bucket {bucket} does not exist any more")
        return cls(session, model, registration, decision)

    @property
    def package(self) -> dict[str, Any]:
        """The model package as it was registered; empty without a record."""
        return facts_of(self.registration.record) if self.registration else {}

    @property
    def evidence(self) -> dict[str, dict[str, Any]]:
        """The files that the registration's record names, by name."""
        found: Any = self.registration.record.get("evidence") if self.registration else None
        return cast(dict[str, dict[str, Any]], found) if isinstance(found, dict) else {}

    def uri(self, name: str) -> str:
        """URI of a file of the evidence; empty where the record does not name it."""
        entry = self.evidence.get(name)
        key = evidence_key(self.model, str(entry.get("sha256"))) if entry else ""
        return f"s3://{self.session.names.bucket('records')}/{key}" if key else ""

    def read(self, name: str) -> bytes | None:
        """A file of the evidence; None where it is gone, is another one, or was never kept."""
        if name not in self._read:
            self._read[name] = self._content(name)
        return self._read[name]

    def _content(self, name: str) -> bytes | None:
        if name not in self.evidence:
            return None
        sha256 = str(self.evidence[name].get("sha256"))
        place = {"Bucket": self.session.names.bucket("records"), "Key": evidence_key(self.model, sha256)}
        try:
            return content(self.session.client("s3"), sha256, **place)
        except (MissingFileError, AlteredFileError):
            return None

    def facts(self, name: str) -> dict[str, Any]:
        """A JSON object of the evidence, such as `train_facts`; empty without one."""
        try:
            found: Any = json.loads(self.read(name) or b"{}")
        except ValueError:
            return {}
        return cast(dict[str, Any], found) if isinstance(found, dict) else {}

    def training(self, execution: str, created: datetime) -> Entry | None:
        """The record of an execution that ended, by its ARN; `created`: a time before its end."""
        until = datetime.now(UTC) + CLOCKS
        return self._find("training", (created - CLOCKS, until), lambda record: record.get("subject") == execution)

    def request(self, identifier: str, started: datetime) -> Entry | None:
        """The record that a training was about to start, by the id of its request."""
        within = (started - REQUESTED, started + CLOCKS)
        return self._find("retrain", within, lambda record: identifier in _started_for(record))

    def forgotten(self, uri: str) -> Entry | None:
        """The newest record that says that an object was deleted on purpose; None without one."""
        if "forgetting" not in self._rare:
            bucket = self.session.names.bucket("records")
            self._rare["forgetting"] = [] if self.absent else of_kind(self.session, bucket, self.model, "forgetting")
        subject = digest(uri.encode())
        found = [each for each in self._rare["forgetting"] if facts_of(each.record).get("sha256") == subject]
        return max(found, key=lambda each: each.sequence, default=None)

    def _find(self, kind: str, within: tuple[datetime, datetime], matches: Any) -> Entry | None:
        if self.absent:
            return None
        return find(self.session, self.session.names.bucket("records"), self.model, kind, within, matches)


def registration_link(recorded: Recorded, described: Mapping[str, Any] | None) -> Link:
    """The record of the registration, and what the registry has now that differs from it (None: the version is gone)."""
    entry = recorded.registration
    if entry is None:
        link = Link("record", "registration")
        link.problem = recorded.absent or "the records of this environment have no registration of this version"
        return link
    link = Link("record", f"registration, record {entry.sequence}", _record_uri(recorded.session, entry))
    link.facts = known(
        recorded=entry.record.get("recorded"), sha256=entry.digest, files=len(recorded.evidence), by=by(entry)
    )
    problems = [entry.problem] if entry.problem else []
    problems += list(_differences(entry, described)) if described is not None else []
    link.problem = "; ".join(problems)
    link.below = _files(recorded)
    return link


def by(entry: Entry | None) -> str | None:
    """Who caused the event: what the message says, and the identity that a service gives."""
    who: Any = entry.record.get("by") if entry else None
    if not isinstance(who, dict):
        return None
    found = cast(dict[str, Any], who)
    claimed, identity = found.get("claimed"), found.get("identity")
    if claimed and identity and claimed != identity:
        return f"{claimed} ({found.get('source')}: {identity})"
    return claimed or identity


def _record_uri(session: EnvironmentSession, entry: Entry) -> str:
    return f"s3://{session.names.bucket('records')}/{entry.key}"


def _differences(entry: Entry, described: Mapping[str, Any]) -> Iterable[str]:
    """Sentences about members of the registry's version that are not what was registered."""
    recorded, created = time_of(entry.record), described["CreationTime"]
    if recorded and abs((recorded - created).total_seconds()) > 1:
        yield f"it is of a version that was registered at {recorded:%Y-%m-%d %H:%M:%S} UTC, whose number was used again"
        return
    facts = facts_of(entry.record)
    before, now = (side.get("CustomerMetadataProperties") or {} for side in (facts, described))
    if changed := sorted(name for name, value in before.items() if now.get(name) != value):
        yield f"the registry has another {', '.join(changed)} than was registered"
    for name in ("Image", "ModelDataUrl"):
        was, found = (_container(side).get(name) for side in (facts, described))
        if was is not None and was != found:
            yield f"the registry has the {name} {found}, and {was} was registered"


def _container(package: Mapping[str, Any]) -> dict[str, Any]:
    containers = (package.get("InferenceSpecification") or {}).get("Containers") or [{}]
    return containers[0]


def _files(recorded: Recorded) -> list[Link]:
    """The files of the evidence that are missing or altered, by S3's own checksums; `model-factory verify` reads them all."""
    objects = S3Objects(recorded.session, recorded.session.names.bucket("records"))
    names = sorted(recorded.evidence)

    def check(name: str) -> Link | None:
        expected = str(recorded.evidence[name].get("sha256"))
        found = objects.sha256(evidence_key(recorded.model, expected))
        if found == expected:
            return None
        link = Link("evidence", name, recorded.uri(name), known(sha256=expected))
        link.problem = f"its SHA-256 is {found}" if found else "the file does not exist any more"
        return link

    links = [link for link in objects.map(check, names) if link]
    missing: Any = recorded.package.get("missing") or {}
    for name, why in sorted(cast(dict[str, str], missing).items() if isinstance(missing, dict) else ()):
        links.append(Link("evidence", name, problem=f"it was not kept: {why}"))
    return links


def _started_for(record: Mapping[str, Any]) -> list[str]:
    facts = facts_of(record)
    return list(facts.get("requests") or []) if facts.get("decision") == "started" else []
