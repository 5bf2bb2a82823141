"""Answers from the files that the registration of a version names: code, evaluation, manifest, bill of materials, signature."""

from io import BytesIO
from typing import Any

from ..records.evidence import verify as verify_evidence
from ..wording import counted
from .answer import Answer, answers, file_answer
from .version_records import Document, File, VersionRecords


@answers
def intended_use(records: VersionRecords) -> Answer:
    """`report.intended_use` of the model.yaml that the version was trained with."""
    return _said_in_settings(records, "intended_use")


@answers
def limits_of_use(records: VersionRecords) -> Answer:
    """`report.limits_of_use` of the model.yaml that the version was trained with."""
    return _said_in_settings(records, "limits_of_use")


@answers
def accuracy(records: VersionRecords) -> Answer:
    """The gate's metric with its interval, from evaluation.json."""

    def text(file: File) -> str | None:
        content = file.json()
        name = (content.get("gate") or {}).get("metric")
        each: Document = (content.get("metrics") or {}).get(name) or {}
        if not {"value", "low", "high"} <= each.keys():
            return None
        value, low, high = (_number(each[key]) for key in ("value", "low", "high"))
        return f"{name} {value} (95 % interval {low} to {high}) on {content.get('rows')} test rows"

    return file_answer(records, "evaluation", text, "The version has no evaluation by the standard pipeline.")


@answers
def benchmark(records: VersionRecords) -> Answer:
    """The comparison with the version before."""

    def text(file: File) -> str | None:
        content = file.json()
        champion: Document = content.get("champion") or {}
        name = (content.get("gate") or {}).get("metric")
        before: Document = (champion.get("metrics") or {}).get(name) or {}
        if "value" not in before:
            return None
        ours: Document = (content.get("metrics") or {}).get(name) or {}
        values = _number(ours.get("value")), _number(before["value"])
        return f"{name} {values[0]}, and {values[1]} of version {champion.get('version')} on the same rows"

    return file_answer(records, "evaluation", text, "It was the first version: there was none to compare it with.")


@answers
def data_provenance(records: VersionRecords) -> Answer:
    """The manifest: every object that the version was made from, with its version and SHA-256."""

    def text(file: File) -> str | None:
        objects: list[Any] = file.json().get("objects") or []
        return f"{counted(len(objects), 'object')}, each with its S3 version" if objects else None

    return file_answer(records, "manifest", text, "The version has no manifest of its data.")


@answers
def data_checks(records: VersionRecords) -> Answer:
    """The report of Prepare."""

    def text(file: File) -> str | None:
        rows = file.json().get("rows")
        return f"{rows:,} rows were read, checked against the data contract and split" if rows else None

    return file_answer(records, "report", text, "The version has no report of Prepare.")


@answers
def data_contract(records: VersionRecords) -> Answer:
    """Columns, types and ranges that requests must have."""

    def text(file: File) -> str | None:
        columns: list[Any] = file.json().get("columns") or []
        return f"{counted(len(columns), 'column')} with types and rules" if columns else None

    return file_answer(records, "baseline/columns.json", text, "The version has no description of its columns.")


@answers
def groups(records: VersionRecords) -> Answer:
    """The metric by group of the test rows."""

    def text(file: File) -> str | None:
        slices: Document = file.json().get("slices") or {}
        return f"the metric is measured by group of {', '.join(slices)}" if slices else None

    gap = f"Name columns in `report.groups` of models/{records.model}/model.yaml and train the version again."
    return file_answer(records, "evaluation/explanation.json", text, gap)


@answers
def explanation(records: VersionRecords) -> Answer:
    """Partial dependence, calibration and importance of columns."""

    def text(file: File) -> str | None:
        found = [name for name in ("partial_dependence", "calibration") if file.json().get(name)]
        return f"measured: {', '.join(found).replace('_', ' ')}" if found else None

    return file_answer(
        records, "evaluation/explanation.json", text, "The version has no explanation of its evaluation."
    )


@answers
def components(records: VersionRecords) -> Answer:
    """The bill of materials of the libraries that the jobs loaded."""

    def text(file: File) -> str | None:
        listed: list[Any] = file.json().get("components") or []
        return f"bill of materials (CycloneDX) with {counted(len(listed), 'component')}" if listed else None

    return file_answer(records, "sbom", text, "The version has no bill of materials: train it again with this release.")


@answers
def signature(records: VersionRecords) -> Answer:
    """The signature over the artifact and all other files of the registration."""

    def text(_: File) -> str | None:
        return (
            "the artifact and its evidence are signed; "
            f"`model-factory verify {records.model}@{records.version}` compares the key with that of KMS"
        )

    found = file_answer(records, "signature", text, "The version has no signature: the environment has no signing key.")
    if found.status != "answered" or found.entry is None:
        return found
    files = ("statement", "signature", "public_key")
    small = {name: file.content for name in files if (file := records.file(name)) and file.content}
    checks = verify_evidence(found.entry.record, lambda name: _opened(small.get(name)))
    # Both the file and what is in it have this name.
    problem = next((each.problem for each in checks if each.name == "signature" and each.problem), None)
    artifact = records.has_file("artifact") if "artifact" in found.entry.record["evidence"] else "there is no artifact"
    if wrong := problem or artifact:
        return Answer("altered", wrong, found.entry, found.file)
    return found


def _said_in_settings(records: VersionRecords, name: str) -> Answer:
    gap = f"Write `report.{name}` in models/{records.model}/model.yaml and train the version again."
    return file_answer(records, "code", lambda _: (records.settings.get("report") or {}).get(name), gap)


def _opened(content: bytes | None) -> Any:
    return None if content is None else BytesIO(content)


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, int | float) else str(value)
