"""Answers that are records: what was registered, decided, deployed, noticed and changed."""

from .answer import Answer, answers, record_answer
from .version_records import Document, VersionRecords

_DRIFT = ("drift", "data-violations")
_UNDONE = ("rolled back", "deleted")
"""Outcomes of deployments that took a version out of service; after one that failed the version before still answers."""


@answers
def inventory(records: VersionRecords) -> Answer:
    """The registration of the version."""
    return record_answer(
        records,
        records.registration,
        lambda _: f"{records.model} v{records.version} is registered in {records.environment}",
        "No registered version has a record: train the model with `model-factory retrain`.",
    )


@answers
def gate_decision(records: VersionRecords) -> Answer:
    """The gate's decision about the training that made the version."""
    gap = "No gate's decision is recorded for the training of this version."
    if origin := records.metadata.get("origin"):
        gap = f"The version was promoted: the decision is recorded where it was trained, {origin}."
    return record_answer(
        records,
        records.of_training("gate"),
        lambda facts: str((facts.get("gate") or {}).get("reason") or ("passed" if facts.get("passed") else "refused")),
        gap,
    )


@answers
def training_run(records: VersionRecords) -> Answer:
    """The training that made the version."""
    return record_answer(
        records,
        records.of_training("training"),
        lambda facts: (
            f"{facts.get('outcome')}, {len(facts.get('steps') or [])} steps, trigger {facts.get('trigger') or 'by hand'}"
        ),
        "No training of this version is recorded in this environment.",
    )


@answers
def approval(records: VersionRecords) -> Answer:
    """A person's approval."""
    gap = (
        f"Nobody has approved it: set `approval: manual` for {records.environment} in factory.yaml, or approve it with "
        f"`model-factory approve {records.model} --env {records.environment} --version {records.version}`."
    )
    entry = records.of_version("approval")
    who: Document = (entry.record.get("by") or {}) if entry else {}
    name = who.get("identity") or "unknown"
    if (claimed := who.get("claimed")) and claimed != name:
        name = f"{name}, who says to be {claimed}"
    return record_answer(
        records, entry, lambda facts: f"approved by {name}: {facts.get('reason') or 'no reason given'}", gap
    )


@answers
def deployment(records: VersionRecords) -> Answer:
    """The version's last deployment."""
    return record_answer(
        records,
        records.of_version("deployment"),
        lambda facts: f"deployment {facts.get('outcome')}",
        f"It was not deployed: `model-factory redeploy {records.model} --env {records.environment}` deploys the newest "
        "approved version.",
    )


@answers
def corrective_action(records: VersionRecords) -> Answer:
    """What took a version out of service: a roll-back, a deletion, or the rejection of one that had been approved."""
    entry = records.corrected(_UNDONE) or records.of_model("rejection")
    return record_answer(
        records,
        entry,
        lambda facts: str(facts.get("outcome") or facts.get("decision") or "deleted"),
        f"No rejection, roll-back or deletion is recorded since its registration. `model-factory rollback {records.model}` "
        "makes one.",
    )


@answers
def drift_monitoring(records: VersionRecords) -> Answer:
    """A change of an alarm on drift or data quality."""
    return _alarm(
        records,
        _DRIFT,
        "No alarm of drift or data quality has changed its state since its registration: see `monitoring.schedule` in "
        "model.yaml, and whether the endpoint gets requests.",
    )


@answers
def outcomes_analysis(records: VersionRecords) -> Answer:
    """A change of the alarm on quality from labels."""
    return _alarm(
        records,
        ("model-quality",),
        "No quality from labels is recorded since its registration: put labels below `ground-truth/`, such as "
        "with `model-factory upload`.",
    )


@answers
def retraining(records: VersionRecords) -> Answer:
    """A decision about training again."""
    return record_answer(
        records,
        records.of_model("retrain"),
        lambda facts: f"training {facts.get('decision')}: {facts.get('reason') or facts.get('trigger')}",
        "No decision about a training is recorded since its registration: set `retrain.schedule` in model.yaml.",
    )


@answers
def configuration(records: VersionRecords) -> Answer:
    """The newest change of the model's settings."""
    return record_answer(
        records,
        records.newest("configuration"),
        lambda facts: f"settings version {facts.get('version')}, {facts.get('operation')}",
        "No change of the model's settings is recorded: deploy its stack again.",
    )


@answers
def reproduction(records: VersionRecords) -> Answer:
    """A training of the version again, and its verdict."""
    return record_answer(
        records,
        records.of_version("reproduction"),
        lambda facts: f"{facts.get('verdict')}: {facts.get('says')}",
        f"`model-factory reproduce {records.model}@{records.version} --env {records.environment}` makes it.",
    )


@answers
def event_log(records: VersionRecords) -> Answer:
    """The chain of all records of the model, as a whole."""
    entries = [each for each in records.entries if each.record]
    newest = max(entries, key=lambda each: each.sequence, default=None)
    wrong = [*(f"{key}: {what}" for key, what in records.findings.items()), *records.environment_findings]
    if wrong:
        more = f", and {len(wrong) - 1} more: see `model-factory audit {records.model}`" if len(wrong) > 1 else ""
        return Answer("altered", f"{wrong[0]}{more}", newest)
    signed = f"signed up to record {records.chain.signed}" if records.chain.signed else "not signed yet"
    return record_answer(
        records,
        newest,
        lambda _: f"{len(entries)} records in one chain, {records.chain.files} files, all as recorded; {signed}",
        "The model has no records.",
    )


def _alarm(records: VersionRecords, purposes: tuple[str, ...], gap: str) -> Answer:
    return record_answer(
        records,
        records.of_model("alarm", where=lambda facts: facts.get("purpose") in purposes),
        lambda facts: f"alarm {facts.get('purpose')}: {facts.get('state')}. {facts.get('reason') or ''}".strip(),
        gap,
    )
