"""Reads and verifies the records of the versions that a framework's page is about."""

from collections.abc import Callable, Iterable, Sequence

from ..operations.facts import ModelFacts, read_environment
from ..project import EnvironmentSession
from ..records.objects import S3Objects
from ..records.request import Request, make_report
from ..records.verification import ChainAudit
from ..references import Reference
from .version_records import VersionRecords


def read_versions(
    sessions: Iterable[EnvironmentSession], references: Sequence[Reference], log: Callable[[str], None]
) -> list[VersionRecords]:
    """The records of these versions (empty: of the live, or else the newest version of every model) in each environment.

    Chains, files, markers and signed heads are verified as `model-factory audit` does it. `log` gets a line for each environment.
    Raises UsageError, and ClientError when a permission is missing.
    """
    found: list[VersionRecords] = []
    versions = {each.model: each.version for each in references}
    for session in sessions:
        facts = [each for each in read_environment(session, list(versions)) if each.settings is not None]
        log(f"{session.environment.name}: verifying the records of {len(facts)} models")
        chains, findings = _verified(session, sorted(versions))
        objects = S3Objects(session, session.names.bucket("records"))
        found += [
            VersionRecords(
                environment=session.environment.name,
                model=each.model,
                version=versions.get(each.model) or _current(each),
                chain=chains.get(each.model) or ChainAudit.of(each.model, []),
                read=objects.read,
                environment_findings=findings,
            )
            for each in facts
        ]
    return found


def _verified(session: EnvironmentSession, models: Sequence[str]) -> tuple[dict[str, ChainAudit], tuple[str, ...]]:
    """Verified chains by model, and what is wrong with signed heads."""
    reports = [make_report(session, Request(model=model), lambda _name, _count: None) for model in models or (None,)]
    chains = {chain.model: chain for report in reports for chain in report.chains}
    findings = dict.fromkeys(f"{each.key}: {each.what}" for report in reports for each in report.findings)
    return chains, tuple(findings)


def _current(facts: ModelFacts) -> int | None:
    """Number of the live version, or else of the newest one."""
    if facts.live:
        return facts.live["ModelPackageVersion"]
    return facts.versions[0]["ModelPackageVersion"] if facts.versions else None
