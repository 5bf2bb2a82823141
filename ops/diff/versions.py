"""Two versions of a model side by side, from their records and evidence."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..records.chain import newest
from . import code, data, predictions, quality
from .changes import Change, Section, compare, neutral
from .kept import Kept, PieceError

_RUN = ("instance", "processors", "threads", "processor", "python", "platform", "seed")
"""Facts of the job Train that say what it ran on."""
_SPLIT = ("seed", "validation_fraction", "test_fraction")
_JOBS = ("prepare_facts", "train_facts", "evaluate_facts")
_ZIP = re.compile(r"[0-9a-f]{64}\.zip")


@dataclass(frozen=True)
class Limits:
    """How much is compared and shown: rows that are scored (0: none), and whether whole diffs are shown."""

    rows: int
    full: bool


@dataclass(frozen=True)
class Comparison:
    """Two versions and the sections of their comparison. `about`: what each version has of its own."""

    before: Kept
    after: Kept
    about: Section
    sections: list[Section]

    @property
    def differs(self) -> bool:
        """Whether a part differs."""
        return any(each.differs for each in self.sections)

    @property
    def problems(self) -> list[str]:
        """What is missing, was altered or cannot be read; each thing once."""
        return list(dict.fromkeys(problem for each in [self.about, *self.sections] for problem in each.problems))


def compare_versions(before: Kept, after: Kept, limits: Limits) -> Comparison:
    """The sections of the comparison. Raises ClientError for other errors than files that cannot be read."""
    zips = [_files(each) for each in (before, after)]
    settings = [_settings(files) for files, _ in zips]
    newer = max((before, after), key=lambda each: str(each.record.get("time")))
    newest_settings = settings[0] if newer is before else settings[1]
    evaluated = (*(evaluation := quality.evaluations(before, after))[:2],)
    decided, reasons = quality.decisions(before, after, evaluated)
    measured = quality.metrics(*evaluated, (newest_settings.get("gate") or {}).get("metric"))
    measured.problems += evaluation[2]
    sections = [
        data.objects(before, after),
        data.distribution(before, after, (newest_settings.get("monitoring") or {}).get("drift")),
        *_of_settings((before, after), settings, [problem for _, problem in zips]),
        _deployed(before, after),
        *_code(before, after, zips, limits),
        _pipeline(before, after),
        _run(before, after),
        _libraries(before, after),
        measured,
        decided,
        _artifact(before, after),
    ]
    if limits.rows:
        sections.append(scored := predictions.predictions(before, after, newer, limits.rows))
        scored.notes += _other_split(settings) if scored.changes else []
    return Comparison(before, after, _about(before, after, reasons), sections)


def _about(before: Kept, after: Kept, reasons: Section) -> Section:
    """What every version has of its own: when, why and by whom it was trained and approved."""
    told = [dict(_told(each)) for each in (before, after)]
    changes = [Change(name, told[0][name], told[1][name]) for name in told[0]]
    known = [each for each in [*changes, *reasons.changes] if each.before or each.after]
    return Section("about", known, problems=reasons.problems, counts=False)


def _told(kept: Kept) -> Iterator[tuple[str, str | None]]:
    yield "registered", f"{datetime.fromisoformat(kept.record['time']):%Y-%m-%d %H:%M} UTC"
    yield "why", kept.facts.get("ModelPackageDescription")
    origin = kept.metadata.get("origin")
    yield "origin", origin.rpartition("model-package/")[2] if origin else None
    yield "commit", kept.metadata.get("git_commit")


def _files(kept: Kept) -> tuple[dict[str, bytes], str]:
    """The files of the version's zip, and why there are none."""
    try:
        return code.files(kept), ""
    except PieceError as error:
        return {}, str(error)


def _settings(files: dict[str, bytes]) -> dict[str, Any]:
    """The content of model.yaml with all defaults, as the jobs had it; empty without one."""
    return json.loads(files.get(code.SETTINGS, b"{}"))


def _other_split(settings: list[dict[str, Any]]) -> list[str]:
    """Rows are split by their content and the seed: with others, a test row of one version may have trained the other."""
    one, other = ({name: (each.get("training") or {}).get(name) for name in _SPLIT} for each in settings)
    if one == other:
        return []
    return [
        "seed or fractions of the split differ: these rows may be among those that the other version was trained on"
    ]


def _of_settings(sides: tuple[Kept, Kept], settings: list[dict[str, Any]], problems: list[str]) -> list[Section]:
    """Data contract, hyperparameters and everything else of model.yaml."""
    if any(problems):
        return []  # the section of the code names the problem
    without = [kept.label for kept, each in zip(sides, settings, strict=True) if not each]
    if without:
        return [Section("configuration", problems=[f"the code of {each} has no {code.SETTINGS}" for each in without])]
    contracts, parameters, others = list[Any](), list[Any](), list[Any]()
    for kept, each in zip(sides, settings, strict=True):
        training: dict[str, Any] = dict(each.get("training") or {})
        fixed: dict[str, Any] = training.pop("hyperparameters", None) or {}
        parameters.append(fixed | (_chosen(kept) if training.get("tuning") else {}))
        contracts.append(each.get("data") or {})
        others.append({**each, "training": training, "data": None})
    return [
        Section("data contract", compare(contracts[0], contracts[1])),
        Section("hyperparameters", compare(parameters[0], parameters[1])),
        Section("configuration (model.yaml with defaults)", compare(others[0], others[1])),
    ]


def _chosen(kept: Kept) -> dict[str, Any]:
    """The hyperparameters that the training job had, by its facts; those that a tuning job chose are in no file of the code."""
    try:
        return kept.json("train_facts").get("hyperparameters") or {}
    except PieceError:
        return {}


def _deployed(before: Kept, after: Kept) -> Section:
    """The settings parameter as it was when each version was registered, which deployment and retraining read."""
    section, values = Section("settings parameter"), list[Any]()
    for kept in (before, after):
        time = datetime.fromisoformat(kept.record["time"])
        bucket, where = kept.session.names.bucket("records"), kept.label
        entry = newest(kept.session, bucket, kept.model, "configuration", until=time)
        if entry is None:
            section.problems.append(f"there is no record of the settings that {where} was registered under")
        elif entry.problem:
            section.problems.append(f"{entry.key}, the settings of {where}, is not what was written: {entry.problem}")
        else:
            values.append(
                (entry.record["facts"].get("version"), neutral(kept.session)(entry.record["facts"].get("value")))
            )
    if not section.problems:
        section.changes = compare(values[0][1], values[1][1])
        if section.changes:
            section.notes.append(
                f"versions {values[0][0]} and {values[1][0]} of the parameter, as they were when each version was registered"
            )
    return section


def _code(before: Kept, after: Kept, zips: list[tuple[dict[str, bytes], str]], limits: Limits) -> list[Section]:
    problems = [problem for _, problem in zips if problem]
    if problems:
        return [Section("code", problems=problems)]
    if before.digest("code") == after.digest("code"):
        return [Section("code of the model"), Section("code of the library")]
    return list(code.compare(zips[0][0], zips[1][0], full=limits.full))


def _pipeline(before: Kept, after: Kept) -> Section:
    """The definitions of the pipelines, but for hyperparameters and code, which have sections of their own."""
    section, values = Section("pipeline definition"), list[Any]()
    for kept in (before, after):
        try:
            text = kept.read("definition").decode(errors="replace")
            values.append(neutral(kept.session)(json.loads(_ZIP.sub("<code>.zip", text))))
        except PieceError as error:
            section.problems.append(str(error))
    if not section.problems:
        section.changes = [
            each
            for each in compare(values[0], values[1], ["Metadata"])
            if not each.what.endswith((".CODE_DIGEST", ".GIT_COMMIT")) and ".HyperParameters" not in each.what
        ]
    return section


def _run(before: Kept, after: Kept) -> Section:
    """Image, instance, processors, threads and seed of the training."""
    section, values = Section("run of the training"), list[dict[str, Any]]()
    for kept in (before, after):
        try:
            facts = kept.json("train_facts")
        except PieceError as error:
            section.problems.append(str(error))
            continue
        values.append(
            {"image": neutral(kept.session)(kept.facts.get("image")), "image digest": kept.facts.get("image_digest")}
            | {name: facts.get(name) for name in _RUN}
        )
    if not section.problems:
        section.changes = compare(values[0], values[1])
    if not all(kept.facts.get("image_digest") for kept in (before, after)):
        section.notes.append(
            "SageMaker named no digest of the image of one of them, so images are compared by their tags"
        )
    return section


def _libraries(before: Kept, after: Kept) -> Section:
    """Versions of the libraries that the jobs had loaded."""
    section, values = Section("libraries"), list[dict[str, str]]()
    for kept in (before, after):
        found = dict[str, str]()
        for name in _JOBS:
            try:
                found |= kept.json(name).get("libraries") or {}
            except PieceError as error:
                section.problems.append(str(error))
        values.append(found)
    if not section.problems:
        names = sorted({*values[0], *values[1]}, key=str.lower)
        pairs = [(name, values[0].get(name), values[1].get(name)) for name in names]
        section.changes = [Change(name, one, other) for name, one, other in pairs if one != other]
    return section


def _artifact(before: Kept, after: Kept) -> Section:
    section = Section("artifact")
    shown = list[str]()
    for kept in (before, after):
        entry = kept.files.get("artifact")
        if entry is None:
            section.problems.append(str(kept.absent("artifact")))
        else:
            shown.append(f"{entry['sha256'][: data.DIGITS]}… ({entry['size']:,} bytes)")
    if not section.problems and before.digest("artifact") != after.digest("artifact"):
        section.changes = [Change("SHA-256 of model.tar.gz", shown[0], shown[1])]
    return section
