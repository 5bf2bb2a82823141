"""Completes a draft with evidence: a registration and a promotion with the files of the version, a training with what it left.

The evidence comes before the record, so that a record never names a file that the bucket does not have.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from drafts import Draft
from evidence import Evidence, Sources, collect
from lineage_markers import write_markers
from sbom import bill_of_materials
from scorings import REPORT, report_key
from shared.alerts import Alert, send_alert
from shared.chain import SCORED_BY
from shared.clients import client
from statement import sign, statement
from store import ObjectVersion, Store

RESERVE_SECONDS = 60
"""What the record itself and the alert may take of the invocation's time."""
_RUN_FACTS = ("instance", "python", "processors", "threads", "seed", "identical")
"""Facts of the job Train that are in the record itself: a reproduction needs them."""


@dataclass(frozen=True)
class Clients:
    """Clients of the services that evidence comes from, and the time that is left."""

    s3: Any
    sagemaker: Any
    kms: Any
    seconds_left: Callable[[], float]

    @classmethod
    def of(cls, lambda_context: Any) -> "Clients":
        """The function's own clients."""
        return cls(
            client("s3"),
            client("sagemaker"),
            client("kms"),
            lambda: lambda_context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS,
        )


def needs_evidence(draft: Draft) -> bool:
    """Whether a draft is about a version or a training whose files are to be kept, and no sender has named them."""
    if draft.evidence or not draft.model or not draft.subject:
        return False
    return draft.kind in ("registration", "scoring") or (
        draft.kind == "training" and draft.facts.get("outcome") != "succeeded"
    )


def complete(draft: Draft, clients: Clients) -> Draft:
    """The draft with its evidence; itself when it needs none.

    Sends an alert when the artifact is not the one that was evaluated, or cannot be kept. Raises ClientError, such as of a
    permission that is missing.
    """
    if not needs_evidence(draft):
        return draft
    subject = str(draft.subject)
    if draft.kind == "scoring":
        return _scored(draft, subject, clients)
    return (
        _registration(draft, subject, clients)
        if draft.kind == "registration"
        else _unregistered(draft, subject, clients)
    )


def _registration(draft: Draft, package_arn: str, clients: Clients) -> Draft:
    if "InferenceSpecification" not in draft.facts:
        missing = {"version": f"{package_arn} was deleted before its files were copied"}
        return replace(draft, facts={**draft.facts, "missing": missing})
    # What the version was registered with. S3's times have seconds.
    package: dict[str, Any] = {
        **draft.facts,
        "ModelPackageArn": package_arn,
        "ModelPackageVersion": draft.version,
        "CreationTime": draft.time,
    }
    store = _store(draft, clients)
    evidence = collect(Sources.of_version(package), store, clients.sagemaker)
    metadata: dict[str, str] = package.get("CustomerMetadataProperties", {})
    container: dict[str, Any] = package["InferenceSpecification"]["Containers"][0]
    facts = {
        "artifact_digest": metadata.get("artifact_digest"),
        "content_digest": metadata.get("content_digest"),
        "image": container.get("Image"),
        # SageMaker resolves the tag at the registration. The repository of AWS's images is in an account of AWS.
        "image_digest": container.get("ImageDigest"),
        **_facts(evidence),
    }
    _add_bill_and_statement(draft, package, evidence, store, clients)
    _mark(draft, evidence, clients, metadata.get("pipeline_execution", "").rpartition("/")[2])
    if evidence.differences or "artifact" in evidence.missing:
        _alert(draft, evidence)
    return replace(draft, facts={**draft.facts, **facts}, evidence=evidence.files)


def _unregistered(draft: Draft, execution: str, clients: Clients) -> Draft:
    """A training without a version: `<artifacts>/<model>/executions/<id>/` is where its files would be."""
    folder = f"s3://{os.environ['ARTIFACTS_BUCKET']}/{draft.model}/executions/{execution.rpartition('/')[2]}/"
    evidence = collect(Sources(folder, execution), _store(draft, clients), clients.sagemaker)
    _mark(draft, evidence, clients, execution.rpartition("/")[2])
    return replace(draft, facts={**draft.facts, **_facts(evidence)}, evidence=evidence.files)


def _scored(draft: Draft, execution: str, clients: Clients) -> Draft:
    """A run of the scoring pipeline: its report, and the markers of the objects that it scored."""
    bucket, key = os.environ["ARTIFACTS_BUCKET"], report_key(draft.model, execution)
    listed = clients.s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", [])
    newest: dict[str, Any] | None = next((each for each in listed if each["IsLatest"]), None)
    if newest is None:
        return replace(draft, facts={**draft.facts, "missing": {REPORT: f"it is not at s3://{bucket}/{key}"}})
    version = ObjectVersion(bucket, key, newest["VersionId"], newest["Size"])
    body: bytes = clients.s3.get_object(**version.request)["Body"].read()
    evidence = {REPORT: _store(draft, clients).put(body, version.uri, version.version_id)}
    objects: list[dict[str, Any]] = json.loads(body)["objects"]
    by = f"{SCORED_BY}{execution.rpartition('/')[2]}"
    records = os.environ["RECORDS_BUCKET"]
    write_markers(clients.s3, records, objects, model=draft.model, execution=by, version=draft.version)
    return replace(draft, evidence=evidence)


def _mark(draft: Draft, evidence: Evidence, clients: Clients, execution: str) -> None:
    """Write the markers of the objects that the training read; a version of no pipeline has none."""
    read: dict[str, Any] = evidence.contents.get("manifest") or evidence.contents.get("inputs") or {}
    objects: Any = read.get("objects")
    if execution and isinstance(objects, list):
        bucket = os.environ["RECORDS_BUCKET"]
        objects = cast(list[dict[str, Any]], objects)
        write_markers(clients.s3, bucket, objects, model=draft.model, execution=execution, version=draft.version)


def _store(draft: Draft, clients: Clients) -> Store:
    return Store(clients.s3, os.environ["RECORDS_BUCKET"], draft.model, clients.seconds_left)


def _facts(evidence: Evidence) -> dict[str, Any]:
    run: Mapping[str, Any] = evidence.contents.get("train_facts", {})
    return {
        "run": {name: run[name] for name in _RUN_FACTS if name in run},
        "rows": evidence.rows,
        "missing": evidence.missing,
        "differences": evidence.differences,
    }


def _add_bill_and_statement(
    draft: Draft, package: Mapping[str, Any], evidence: Evidence, store: Store, clients: Clients
) -> None:
    arn, version = package["ModelPackageArn"], package["ModelPackageVersion"]
    container: dict[str, Any] = package["InferenceSpecification"]["Containers"][0]
    time: datetime = package["CreationTime"]
    digest = container.get("ImageDigest")
    bill = bill_of_materials(
        evidence.contents,
        model=draft.model,
        version=version,
        artifact=evidence.files.get("artifact", {}).get("sha256"),
        image=f"{container.get('Image')}@{digest}" if digest else str(container.get("Image")),
        time=time.isoformat(),
    )
    if bill is None:
        evidence.missing["sbom"] = "no job of the training wrote facts.json"
    else:
        evidence.files["sbom"] = store.put(json.dumps(bill, indent=1, sort_keys=True).encode(), arn)
    key = os.environ.get("SIGNING_KEY")
    if not key:
        evidence.missing["signature"] = "the environment has no signing key"
        return
    payload = statement(evidence.files, model=draft.model, version=version, subject=arn)
    evidence.files["statement"] = store.put(payload, arn)
    signature, public_key = sign(payload, clients.kms, key)
    evidence.files["signature"] = store.put(signature, key)
    evidence.files["public_key"] = store.put(public_key, key)


def _alert(draft: Draft, evidence: Evidence) -> None:
    reasons = [*evidence.differences, *(evidence.missing[name] for name in ("artifact",) if name in evidence.missing)]
    kept = "The artifact that was evaluated is kept as evidence." if "artifact" in evidence.files else ""
    send_alert(
        Alert(
            model=draft.model,
            cause="evidence-differs",
            what=f"Files of version {draft.version} of {draft.model} are not those that it was registered with.",
            why="; ".join(reasons),
            done=kept,
            command=f"model-factory verify {draft.model}@{draft.version}",
            version=draft.version,
        )
    )
