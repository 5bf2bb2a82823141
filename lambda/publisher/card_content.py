"""Content of the SageMaker Model Card of a version, from its records and files. Nothing here calls AWS.

The members are those of SageMaker's model card JSON schema, which CloudFormation's registry has as well
(AWS::SageMaker::ModelCard). Longer texts are cut at the schema's lengths.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from records import Record

STATUS = {"Approved": "Approved", "PendingManualApproval": "PendingReview", "Rejected": "Draft"}
"""Status of the card by the version's approval status. A rejected version can be approved again, which `Archived` rules out."""
LARGEST_CONTENT = 100_000
"""API reference, CreateModelCard: characters of the content."""
SHORT, TEXT, LONG, NAME = 255, 1024, 2048, 63
"""Longest texts of the schema."""
DECISIONS = 20
"""Approvals, rejections and deployments that a card names, the newest ones."""
_METADATA = (
    "trigger",
    "git_commit",
    "code_digest",
    "libraries_digest",
    "data_digest",
    "content_digest",
    "artifact_digest",
    "hyperparameters_digest",
    "seed",
    "pipeline_execution",
    "origin",
)


@dataclass(frozen=True)
class Version:
    """What is known of a version.

    Args:
        registration: The record of its registration.
        decisions: Records of approvals, rejections, promotions and deployments, the oldest first.
        evaluation: evaluation.json.
        training: Record of the execution that trained it. Default: none yet.
    """

    registration: Record
    decisions: Sequence[Record] = ()
    evaluation: Mapping[str, Any] = field(default_factory=dict[str, Any])
    training: Record | None = None

    @property
    def approval(self) -> str:
        """The approval status, as the newest decision or the registration has it."""
        decided = [each["facts"]["decision"] for each in self.decisions if _is_decision(each)]
        return str((decided or [self.registration["facts"].get("ModelApprovalStatus", "")])[-1])


def status(version: Version) -> str:
    """Status of the card."""
    return STATUS.get(version.approval, "Draft")


def content(version: Version) -> str:
    """The content as JSON. The same records have the same content."""
    record, facts = version.registration, version.registration["facts"]
    container: Mapping[str, Any] = _first(facts.get("InferenceSpecification", {}).get("Containers", []))
    image, artifact = str(container.get("Image", "")), str(container.get("ModelDataUrl", ""))
    uses: Mapping[str, str] = version.evaluation.get("uses", {})
    card = {
        "model_overview": {
            "model_id": record["subject"],
            "model_name": f"{record['factory']}-{record['environment']}-{record['model']}",
            "model_version": record["version"],
            "model_description": _cut(facts.get("ModelPackageDescription", ""), TEXT),
            "model_creator": _cut(record["by"]["identity"] or "unknown", TEXT),
            "problem_type": version.evaluation.get("problem"),
            "model_artifact": [_cut(artifact, TEXT)] if artifact else None,
            "inference_environment": {"container_image": [_cut(image, TEXT)]} if image else None,
        },
        "model_package_details": {
            "model_package_arn": record["subject"],
            "model_package_group_name": facts.get("ModelPackageGroupName"),
            "model_package_version": record["version"],
            "model_approval_status": version.approval or None,
        },
        "intended_uses": {"intended_uses": _cut(uses.get("intended", ""), LONG), "risk_rating": "Unknown"},
        "training_details": _training(version, image),
        "evaluation_details": [_evaluation(version)] if version.evaluation else [],
        "additional_information": {
            "caveats_and_recommendations": _cut(uses.get("limits", ""), LONG),
            "custom_details": _details(version),
        },
    }
    text = json.dumps(_present(card), sort_keys=True, ensure_ascii=False, allow_nan=False)
    if len(text) > LARGEST_CONTENT:
        raise ValueError(f"the card of {record['subject']} has {len(text)} of at most {LARGEST_CONTENT} characters")
    return text


def _training(version: Version, image: str) -> dict[str, Any]:
    metadata: Mapping[str, str] = version.registration["facts"].get("CustomerMetadataProperties", {})
    steps: Iterable[Mapping[str, Any]] = version.training["facts"].get("steps", []) if version.training else []
    job = next((step["arn"] for step in steps if ":training-job/" in str(step.get("arn"))), None)
    manifest = metadata.get("data_manifest")
    return {
        "training_observations": _cut(version.registration["facts"].get("ModelPackageDescription", ""), TEXT),
        "training_job_details": {
            "training_arn": job,
            "training_datasets": [manifest] if manifest else None,
            "training_environment": {"container_image": [_cut(image, TEXT)]} if image else None,
        },
    }


def _evaluation(version: Version) -> dict[str, Any]:
    evaluation = version.evaluation
    gate: Mapping[str, Any] = evaluation.get("gate") or {}
    champion: Mapping[str, Any] = evaluation.get("champion") or {}
    groups = [_group("Test rows", evaluation.get("metrics") or {})]
    if champion.get("metrics"):
        groups.append(_group(f"Live version {champion['version']} on the same rows", champion["metrics"]))
    scalars = {key: _cut(str(value), TEXT) for key, value in gate.items() if isinstance(value, str | int | float)}
    return {
        "name": "Gate",
        "evaluation_observation": _cut(str(gate.get("reason", "")), LONG),
        "metadata": {**scalars, "test_rows": str(evaluation.get("rows", ""))},
        "metric_groups": [group for group in groups if group["metric_data"]],
    }


def _group(name: str, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """A group of metrics as evaluation.json has them; one that could not be computed is left out."""
    return {
        "name": _cut(name, NAME),
        "metric_data": [
            {"name": _cut(metric, SHORT), "type": "number", "value": each["value"], "notes": _interval(each)}
            for metric, each in sorted(metrics.items())
            if isinstance(each.get("value"), int | float)
        ],
    }


def _interval(metric: Mapping[str, Any]) -> str | None:
    low, high = metric.get("low"), metric.get("high")
    return f"95 % interval: {low:.4g} to {high:.4g}" if low is not None and high is not None else None


def _details(version: Version) -> dict[str, str]:
    """Digests, commit and execution, and what was decided, as names and texts."""
    record = version.registration
    metadata: Mapping[str, str] = record["facts"].get("CustomerMetadataProperties", {})
    details = {name: metadata[name] for name in _METADATA if metadata.get(name)}
    details["registration_record"] = f"{record['model']}/chain, record {record['sequence']}"
    details |= {f"run_{name}": str(value) for name, value in record["facts"].get("run", {}).items()}
    for each in version.decisions[-DECISIONS:]:
        details[f"{each['kind']}_{each['sequence']}"] = _decision(each)
    return {name: _cut(text, TEXT) for name, text in details.items()}


def _decision(record: Record) -> str:
    facts, by = record["facts"], record["by"]
    what = facts.get("decision") or facts.get("outcome") or record["kind"]
    person = by["claimed"] or by["identity"] or "unknown"
    return f"{record['time']}: {what} by {person}" + (f": {facts['reason']}" if facts.get("reason") else "")


def _is_decision(record: Record) -> bool:
    """Whether a record is of an approval status; a second record says when SageMaker refused to set it."""
    return record["kind"] in ("approval", "rejection") and "decision" in record["facts"]


def _first(items: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return items[0] if items else {}


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _present(value: Any) -> Any:
    """The value without members that are None or empty texts."""
    if isinstance(value, dict):
        return {key: _present(each) for key, each in value.items() if each is not None and each != ""}
    return [_present(each) for each in value] if isinstance(value, list) else value
