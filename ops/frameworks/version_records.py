"""The verified records of one version of a model, as answers look at them."""

import io
import json
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, cast

from model_factory.functions.shared.chain import digest, evidence_key

from ..records.chain import Entry
from ..records.schema import facts_of, time_of
from ..records.verification import FORGETS, ChainAudit

_SETTINGS = "project/settings.json"
"""model.yaml in the zip of a model's jobs."""
_BEFORE = timedelta(minutes=5)
"""An approval by policy and the registration itself are events of about the same time."""

type Document = dict[str, Any]


@dataclass(frozen=True)
class File:
    """A file of the registration's evidence.

    `content`: None when it is not what was registered, which `problem` then says, or when it was deleted on purpose: by the
    record `forgotten`.
    """

    name: str
    sha256: str
    content: bytes | None
    problem: str | None
    forgotten: Entry | None = None

    def json(self) -> Document:
        """The content as a JSON object; empty when it is none."""
        try:
            found: Any = json.loads(self.content or b"")
        except ValueError:
            return {}
        return cast(Document, found) if isinstance(found, dict) else {}


@dataclass(frozen=True)
class VersionRecords:
    """The records of a version.

    Args:
        environment: Name of the environment.
        model: Name of the model.
        version: Number of the version; None: the model has none.
        chain: The verified chain of the model.
        read: Reads an object of the records bucket by its key; None where it does not exist.
        environment_findings: What is wrong with signed heads, in words.
    """

    environment: str
    model: str
    version: int | None
    chain: ChainAudit
    read: Callable[[str], bytes | None]
    environment_findings: tuple[str, ...] = ()

    @cached_property
    def findings(self) -> Mapping[str, str]:
        """What is wrong, by key of the object."""
        found: dict[str, list[str]] = {}
        for each in self.chain.findings:
            if each.what not in found.setdefault(each.key, []):
                found[each.key].append(each.what)
        return {key: "; ".join(texts) for key, texts in found.items()}

    @cached_property
    def registration(self) -> Entry | None:
        """The newest record of the version's registration."""
        return self._newest(lambda each: each.get("kind") == "registration" and each.get("version") == self.version)

    @property
    def registered(self) -> Document:
        """Facts of the registration; empty without one."""
        return facts_of(self.registration.record) if self.registration else {}

    @property
    def metadata(self) -> dict[str, str]:
        """CustomerMetadataProperties of the version."""
        return self.registered.get("CustomerMetadataProperties") or {}

    def problem(self, entry: Entry) -> str | None:
        """What is wrong with a record; None: nothing."""
        return self.findings.get(entry.key) or entry.problem

    def of_version(self, *kinds: str, where: Callable[[Document], bool] | None = None) -> Entry | None:
        """The newest record of these kinds about the version; `where`: judges its facts."""
        return self._newest(
            lambda each: (
                each.get("kind") in kinds
                and each.get("version") == self.version
                and self._since_registration(each)
                and (where is None or where(facts_of(each)))
            )
        )

    def of_model(self, *kinds: str, where: Callable[[Document], bool] | None = None) -> Entry | None:
        """The newest record of these kinds about the model since the version was registered."""
        return self._newest(
            lambda each: (
                each.get("kind") in kinds
                and self._since_registration(each)
                and (where is None or where(facts_of(each)))
            )
        )

    def of_training(self, kind: str) -> Entry | None:
        """The record of this kind about the execution that registered the version."""
        execution = self.metadata.get("pipeline_execution")
        if not execution:
            return None
        return self._newest(lambda each: each.get("kind") == kind and each.get("subject") == execution)

    def corrected(self, undone: Collection[str]) -> Entry | None:
        """The newest record since the registration of what took a version out of service.

        A deployment with one of these outcomes, a deletion, or the rejection of a version that had been approved: the rejection
        of a candidate corrects nothing.
        """
        approved = {
            each.record.get("version"): each.sequence for each in self.entries if each.record.get("kind") == "approval"
        }
        numbers = {each.record.get("id"): each.sequence for each in self.entries}

        def corrects(record: Document) -> bool:
            kind, sequence = record.get("kind"), numbers.get(record.get("id"), 0)
            withdrawn = kind == "rejection" and approved.get(record.get("version"), sequence) < sequence
            undid = kind == "deployment" and facts_of(record).get("outcome") in undone
            return (kind == "deletion" or withdrawn or undid) and self._since_registration(record)

        return self._newest(corrects)

    def newest(self, kind: str) -> Entry | None:
        """The newest record of a kind, from before the registration, too."""
        return self._newest(lambda each: each.get("kind") == kind)

    def file(self, name: str) -> File | None:
        """A file of the registration's evidence, compared with its SHA-256; None when the record names none."""
        entry = self.registration
        evidence: dict[str, Document] = entry.record.get("evidence") or {} if entry else {}
        if name not in evidence:
            return None
        sha256 = str(evidence[name].get("sha256"))
        key = evidence_key(self.model, sha256)
        problem = self.findings.get(key)
        if problem is None and (forgotten := self._forgotten_by(sha256)):
            return File(name, sha256, None, None, forgotten)
        content = None if problem else self.read(key)
        if problem is None and (content is None or digest(content) != sha256):
            problem, content = f"{key} is {'gone' if content is None else 'another file'}", None
        return File(name, sha256, content, problem)

    def _forgotten_by(self, sha256: str) -> Entry | None:
        def names_it(record: Document) -> bool:
            listed: Any = facts_of(record).get("evidence")
            return record.get("kind") in FORGETS and isinstance(listed, list) and sha256 in listed

        return self._newest(names_it)

    def has_file(self, name: str) -> str | None:
        """What is wrong with a file that may be large and so was verified with the chain; None: nothing.

        Raises KeyError when the record names no such file.
        """
        sha256 = str(((self.registration.record if self.registration else {}).get("evidence") or {})[name]["sha256"])
        return self.findings.get(evidence_key(self.model, sha256))

    @cached_property
    def settings(self) -> Document:
        """model.yaml with its defaults, as the version was trained with; empty when its code was not kept or was altered."""
        code = self.file("code")
        if code is None or code.content is None:
            return {}
        try:
            with zipfile.ZipFile(io.BytesIO(code.content)) as archive:
                found: Any = json.loads(archive.read(_SETTINGS))
        except (KeyError, ValueError, zipfile.BadZipFile):
            return {}
        return cast(Document, found) if isinstance(found, dict) else {}

    @property
    def entries(self) -> Iterable[Entry]:
        """Records and gaps, newest first."""
        return self.chain.entries

    @property
    def gaps(self) -> list[str]:
        """Which records are missing from the chain, in words."""
        return [str(each.problem) for each in self.chain.entries if not each.record]

    @cached_property
    def _refused(self) -> frozenset[str]:
        """Ids of records that announced what AWS then refused: such an approval never took effect."""
        facts = [facts_of(each.record) for each in self.chain.entries]
        return frozenset(str(each["refused"]) for each in facts if "refused" in each)

    def _took_effect(self, entry: Entry) -> bool:
        """Whether AWS carried out what the record announces; an altered record may be any, so it is not left out."""
        facts = facts_of(entry.record)
        return bool(self.problem(entry)) or ("refused" not in facts and entry.record.get("id") not in self._refused)

    def _newest(self, fits: Callable[[Document], bool]) -> Entry | None:
        found = [each for each in self.chain.entries if each.record and fits(each.record) and self._took_effect(each)]
        # Of an equal time, the record that was written later.
        return max(found, key=lambda each: (_seconds(each.record), each.sequence), default=None)

    def _since_registration(self, record: Document) -> bool:
        registered: datetime | None = time_of(self.registration.record) if self.registration else None
        time = time_of(record)
        return registered is None or time is None or time >= registered - _BEFORE


def _seconds(record: Document) -> float:
    time = time_of(record)
    return time.timestamp() if time else 0.0
