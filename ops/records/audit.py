"""Verification of all chains of an environment, with the signed heads of its bucket and of the anchor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from model_factory.functions.shared.chain import ENVIRONMENT
from model_factory.functions.shared.heads import FOLDER

from . import lineage_markers
from .heads import Finding, HeadsRead, PublicKey, SignedHeads, compare, overdue, read_heads
from .objects import Objects
from .verification import ChainAudit, verify_chain


@dataclass(frozen=True)
class Report:
    """What an audit found.

    Args:
        chains: Each chain, that of the environment first.
        heads: Signed heads whose signatures are valid, oldest first, from the bucket and from the anchor.
        findings: What is wrong with signed heads.
    """

    chains: list[ChainAudit]
    heads: list[SignedHeads]
    findings: list[Finding]

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings and not any(each.findings for each in self.chains)


@dataclass(frozen=True)
class Source:
    """A bucket with signed heads.

    Args:
        objects: The bucket.
        where: `s3://<bucket>/`, for messages.
        prefix: Prefix of the heads. Default: `_heads/`.
    """

    objects: Objects
    where: str = ""
    prefix: str = f"{FOLDER}/"


def verify(
    records: Source,
    anchor: Source | None,
    public_key: PublicKey | str,
    *,
    place: tuple[str, str],
    now: datetime,
    models: Sequence[str] | None = None,
    since: datetime | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> Report:
    """Verify the chains of an environment.

    Args:
        records: The records bucket.
        anchor: The bucket of the other account; None: factory.yaml names none.
        public_key: Key that fits the signatures of heads; or why there is none, in words.
        place: Names of the factory and the environment.
        now: The time.
        models: Models whose chains are verified; the empty name is the environment's. Default: all that have a folder.
        since: Older records are not read. Default: chains are verified from their first record.
        progress: Gets the folder of a chain and the number of its records that have been read so far.

    Raises ClientError.
    """
    heads, findings = _heads(records, anchor, public_key, place)
    markers = lineage_markers.listed(records.objects)
    chains = [
        verify_chain(
            records.objects,
            model,
            heads,
            lineage=markers,
            place=place,
            now=now,
            since=since,
            progress=partial(progress, model or ENVIRONMENT) if progress else None,
        )
        for model in (models_of(records.objects, heads) if models is None else models)
    ]
    if models is None:
        findings += lineage_markers.unknown(markers, (each.model for each in chains))
    written = [each.modified for chain in chains for each in chain.entries if each.modified]
    return Report(chains, heads, [*findings, *overdue(heads, min(written, default=None), now)])


def _heads(
    records: Source, anchor: Source | None, public_key: PublicKey | str, place: tuple[str, str]
) -> tuple[list[SignedHeads], list[Finding]]:
    """Valid heads of both buckets, oldest first, and what is wrong with others."""
    if isinstance(public_key, str):
        exist = next(records.objects.versions(records.prefix), None)
        return [], [Finding("", records.prefix, f"signed heads cannot be verified: {public_key}")] if exist else []
    own, copies = (
        read_heads(each.objects, public_key, place=place, where=each.where, prefix=each.prefix) if each else HeadsRead()
        for each in (records, anchor)
    )
    heads = sorted([*own.heads, *copies.heads], key=lambda each: each.time)
    return heads, [*own.findings, *copies.findings, *compare(own, copies)]


def models_of(objects: Objects, heads: Sequence[SignedHeads] = ()) -> list[str]:
    """Models that have a folder in the bucket, or a signed head; the empty name, the environment's chain, comes first."""
    folders = {*objects.folders(), *(name for each in heads for name in each.chains)}
    return ["", *sorted(each for each in folders if not each.startswith("_"))]
