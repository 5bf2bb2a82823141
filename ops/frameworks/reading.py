"""Reads and verifies the records of the versions that a framework's page is about."""

from collections.abc import Callable, Iterable, Sequence

from ..operations.facts import ModelFacts, read_environment
from ..project import EnvironmentSession, UsageError
from ..records.objects import S3Objects
from ..records.request import Request, make_report
from ..records.verification import ChainAudit
from ..references import Reference
from .version_records import VersionRecords

_NEAREST = 3
"""Versions that are named in place of one that does not exist."""


def read_versions(
    sessions: Iterable[EnvironmentSession], references: Sequence[Reference], log: Callable[[str], None]
) -> list[VersionRecords]:
    """The records of these versions (empty: of the live, or else the newest version of every model) in each environment.

    Chains, files, markers and signed heads are verified as `model-factory audit` does it. `log` gets a line for each environment.
    Raises UsageError with the nearest versions for one that no environment has, and ClientError when a permission is missing.
    """
    found: dict[tuple[str, str, int | None], VersionRecords] = {}
    said: dict[Reference, list[str]] = {each: [] for each in references if each.version is not None}
    wanted: dict[str, list[Reference]] = {}
    for each in dict.fromkeys(references):
        wanted.setdefault(each.model, []).append(each)
    for session in sessions:
        facts = [each for each in read_environment(session, list(wanted)) if each.settings is not None]
        log(f"{session.environment.name}: verifying the records of {len(facts)} models")
        chains, findings = _verified(session, sorted(wanted))
        objects = S3Objects(session, session.names.bucket("records"))
        for each in facts:
            chain = chains.get(each.model) or ChainAudit.of(each.model, [])
            known = _known(each, chain)
            for reference in wanted.get(each.model, [Reference(each.model, None)]):
                if reference.version and reference.version not in known:
                    said[reference].append(f"{session.environment.name} has {_nearest(reference.version, known)}")
                    continue
                version = reference.version or _current(each)
                found[session.environment.name, each.model, version] = VersionRecords(
                    environment=session.environment.name,
                    model=each.model,
                    version=version,
                    chain=chain,
                    read=objects.read,
                    environment_findings=findings,
                )
    there = {Reference(model, version) for _, model, version in found}
    for reference in (each for each in said if each not in there):
        raise UsageError(
            f"{reference.model} has no version {reference.version}: {'; '.join(said[reference]) or 'it is not deployed'}"
        )
    return list(found.values())


def _verified(session: EnvironmentSession, models: Sequence[str]) -> tuple[dict[str, ChainAudit], tuple[str, ...]]:
    """Verified chains by model, and what is wrong with signed heads."""
    reports = [make_report(session, Request(model=model), lambda _name, _count: None) for model in models or (None,)]
    chains = {chain.model: chain for report in reports for chain in report.chains}
    findings = dict.fromkeys(f"{each.key}: {each.what}" for report in reports for each in report.findings)
    return chains, tuple(findings)


def _known(facts: ModelFacts, chain: ChainAudit) -> list[int]:
    """Numbers of the versions that the registry has, or of which there is a record."""
    recorded = [each.record.get("version") for each in chain.entries if each.record.get("kind") == "registration"]
    numbers = {*recorded, *(each["ModelPackageVersion"] for each in facts.versions)}
    return sorted(each for each in numbers if isinstance(each, int))


def _nearest(version: int, known: Sequence[int]) -> str:
    near = sorted(known, key=lambda each: abs(each - version))[:_NEAREST]
    return ", ".join(map(str, sorted(near))) if near else "none"


def _current(facts: ModelFacts) -> int | None:
    """Number of the live version, or else of the newest one."""
    if facts.live:
        return facts.live["ModelPackageVersion"]
    return facts.versions[0]["ModelPackageVersion"] if facts.versions else None
