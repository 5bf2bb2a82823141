"""Verification of all chains of an environment, with the signed heads of its bucket and of the anchor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from model_factory.functions.shared.chain import ENVIRONMENT
from model_factory.functions.shared.heads import FOLDER

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


def verify(
    objects: Objects,
    anchor: Objects | None,
    public_key: PublicKey | None,
    *,
    place: tuple[str, str],
    now: datetime,
    models: Sequence[str] | None = None,
    since: datetime | None = None,
    where: tuple[str, str] = ("", ""),
    progress: Callable[[str, int], None] | None = None,
) -> Report:
    """Verify the chains of an environment.

    Args:
        objects: The records bucket.
        anchor: The bucket of the other account. Default (None): factory.yaml names none.
        public_key: Key that fits the signatures of heads; None: heads are not read.
        place: Names of the factory and the environment.
        now: The time.
        models: Models whose chains are verified; the empty name is the environment's. Default: all that have a folder.
        since: Older records are not read. Default: chains are verified from their first record.
        where: `s3://<bucket>/` of the records bucket and of the anchor, for messages.
        progress: Gets the folder of a chain and the number of its records that have been read so far.

    Raises ClientError.
    """
    heads, findings = [], []
    if public_key:
        own = read_heads(objects, public_key, place=place, where=where[0])
        copies = HeadsRead()
        if anchor is not None:
            prefix = f"{place[1]}/{FOLDER}/" if where[1] else f"{FOLDER}/"
            copies = read_heads(anchor, public_key, place=place, where=where[1], prefix=prefix)
        heads = sorted([*own.heads, *copies.heads], key=lambda each: each.time)
        findings = [*own.findings, *copies.findings, *compare(own, copies)]
    chains = [
        verify_chain(
            objects,
            model,
            heads,
            place=place,
            now=now,
            since=since,
            progress=partial(progress, model or ENVIRONMENT) if progress else None,
        )
        for model in (models_of(objects, heads) if models is None else models)
    ]
    if public_key:
        written = [each.modified for chain in chains for each in chain.entries if each.modified]
        findings += overdue(heads, min(written, default=None), now)
    return Report(chains, heads, findings)


def models_of(objects: Objects, heads: Sequence[SignedHeads] = ()) -> list[str]:
    """Models that have a folder in the bucket, or a signed head; the empty name, the environment's chain, comes first."""
    folders = {*objects.folders(), *(name for each in heads for name in each.chains)}
    return ["", *sorted(each for each in folders if not each.startswith("_"))]


def covered(chain: ChainAudit) -> str:
    """How far a chain is signed, in words."""
    newest = max((each.sequence for each in chain.entries), default=0)
    if not newest:
        return "no records"
    if not chain.signed:
        return "not signed yet"
    if chain.signed >= newest:
        return f"all are in the heads signed on {chain.signed_on}"
    return f"records up to {chain.signed} are in the heads signed on {chain.signed_on}"
