"""Signed heads: reading them from the records bucket and from the anchor in another account, and verifying them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model_factory.functions.shared.chain import digest
from model_factory.functions.shared.heads import FOLDER, signature_key

from ..project import UsageError
from .checks import place_problems, version_problems, when
from .objects import Objects, Version
from .schema import Digest, Time

OVERDUE = timedelta(hours=48)
"""Longest time between two signatures: they are made every day, and a day may fail."""


@dataclass(frozen=True)
class Finding:
    """What is wrong, and with which object. `model` is empty for the environment."""

    model: str
    key: str
    what: str


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Head(_Part):
    """The newest record of a chain at the time of the signature."""

    sequence: int
    digest: Digest


class _Previous(_Part):
    date: str
    digest: Digest


class _Document(_Part):
    schema_: Literal["model-factory/heads/1"] = Field(alias="schema")
    factory: str
    environment: str
    signed: Time
    key: str
    algorithm: Literal["ECDSA_SHA_256"]
    previous: _Previous | None
    chains: dict[str, Head]


@dataclass(frozen=True)
class SignedHeads:
    """Heads of one day whose signature is valid.

    Args:
        date: The day, such as 2026-11-26.
        time: When the chains were listed.
        chains: Heads by folder of the chain.
        content: SHA-256 of the document.
        previous: Date and SHA-256 of the document before; None: none.
        where: Where the document was read: `s3://<bucket>/<key>`.
    """

    date: str
    time: datetime
    chains: Mapping[str, Head]
    content: str
    previous: tuple[str, str] | None
    where: str


@dataclass(frozen=True)
class HeadsRead:
    """The valid heads of one bucket, oldest first, and what is wrong with the others."""

    heads: list[SignedHeads] = field(default_factory=list[SignedHeads])
    findings: list[Finding] = field(default_factory=list[Finding])


class PublicKey:
    """A public key on NIST P-256, in PEM, or in DER as KMS gives it. Raises UsageError when it is another one."""

    def __init__(self, content: bytes, name: str) -> None:
        try:
            key: Any = (load_pem_public_key if content.startswith(b"-----") else load_der_public_key)(content)
        except ValueError as error:
            raise UsageError(f"{name} is no public key in PEM or DER: {error}") from None
        if not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)):
            raise UsageError(f"{name} is no key on the curve NIST P-256, which signs heads")
        self._key = key

    def fits(self, document: bytes, signature: bytes) -> bool:
        """Whether the private key of this key has signed the document."""
        try:
            self._key.verify(signature, document, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


def read_heads(
    objects: Objects,
    public_key: PublicKey,
    *,
    place: tuple[str, str],
    where: str,
    prefix: str = f"{FOLDER}/",
) -> HeadsRead:
    """All signed heads below a prefix, verified one by one and against the document before.

    Args:
        objects: The bucket.
        public_key: The key that has to fit their signatures.
        place: Names of the factory and the environment.
        where: `s3://<bucket>/`, for messages.
        prefix: Prefix of the heads. Default: `_heads/`.

    Raises ClientError.
    """
    groups = {group[0].key: group for group in objects.versions(prefix)}
    found = HeadsRead()
    keys = [key for key in groups if key.endswith(".json")]
    found.findings.extend(
        Finding("", key, "a signature without a document: the document was deleted")
        for key in groups
        if key.endswith(".sig") and f"{key.removesuffix('.sig')}.json" not in groups
    )
    for heads, problems in objects.map(lambda key: _read(objects, groups, key, public_key, place, where), keys):
        found.findings.extend(problems)
        if heads:
            found.heads.append(heads)
    found.findings.extend(_unlinked(found.heads, prefix, {key.removeprefix(prefix)[:-5] for key in keys}))
    return found


def compare(bucket: HeadsRead, anchor: HeadsRead) -> list[Finding]:
    """Differences between the heads of the records bucket and their copies in the other account."""
    copies, own = ({each.date: each for each in side.heads} for side in (anchor, bucket))
    findings: list[Finding] = []
    for date in sorted({*copies, *own}):
        copy, original = copies.get(date), own.get(date)
        if copy is None and copies and original and date >= min(copies):
            findings.append(Finding("", f"{FOLDER}/{date}.json", "it has no copy in the anchor"))
        elif copy and original is None:
            what = f"it is not in the records bucket, but its copy is in the anchor, {copy.where}"
            findings.append(Finding("", f"{FOLDER}/{date}.json", what))
        elif copy and original and copy.content != original.content:
            findings.append(
                Finding("", f"{FOLDER}/{date}.json", f"it differs from its copy in the anchor, {copy.where}")
            )
    return findings


def overdue(heads: Sequence[SignedHeads], first_record: datetime | None, now: datetime) -> list[Finding]:
    """Heads that should have been signed: none since 48 hours. `first_record`: when S3 wrote the oldest known record."""
    newest = max((each.time for each in heads), default=first_record)
    if newest is None or now - newest <= OVERDUE:
        return []
    what = "no heads were ever signed" if not heads else f"no heads were signed since {when(newest)}"
    return [Finding("", f"{FOLDER}/", f"{what}, although that happens every day")]


def _read(
    objects: Objects,
    groups: Mapping[str, list[Version]],
    key: str,
    public_key: PublicKey,
    place: tuple[str, str],
    where: str,
) -> tuple[SignedHeads | None, list[Finding]]:
    problems = version_problems(groups[key])
    signature = groups.get(signature_key(key), [])
    problems += [f"its signature: {each}" for each in version_problems(signature)] if signature else []
    content, signed = _first(objects, groups[key]), _first(objects, signature)
    heads = None
    if content is None:
        problems.append("it cannot be read")
    elif signed is None:
        problems.append("it has no signature")
    elif not public_key.fits(content, signed):
        problems.append("its signature does not fit the public key")
    else:
        heads, more = _parse(content, key, place, where)
        problems += more
    return heads, [Finding("", key, each) for each in problems]


def _first(objects: Objects, group: Sequence[Version]) -> bytes | None:
    """The oldest version: an object is written once."""
    written = [each for each in group if not each.deleted]
    return objects.read(written[-1].key, written[-1].version_id) if written else None


def _parse(content: bytes, key: str, place: tuple[str, str], where: str) -> tuple[SignedHeads | None, list[str]]:
    try:
        document = _Document.model_validate_json(content)
    except ValidationError as error:
        return None, [f"it is no document of heads: {error.errors()[0]['msg']}"]
    problems = place_problems({"factory": document.factory, "environment": document.environment}, *place)
    date = key.rpartition("/")[2].removesuffix(".json")
    if f"{document.signed:%Y-%m-%d}" != date:
        problems.append(f"it was signed at {when(document.signed)}, which is another day")
    previous = (document.previous.date, document.previous.digest) if document.previous else None
    heads = SignedHeads(date, document.signed, document.chains, digest(content), previous, f"{where}{key}")
    return (None if problems else heads), problems


def _unlinked(heads: Sequence[SignedHeads], prefix: str, dates: set[str]) -> Iterator[Finding]:
    """Documents whose predecessor is gone or another one."""
    known = {each.date: each.content for each in heads}
    for each in heads:
        if each.previous is None:
            continue
        date, expected = each.previous
        if date not in dates:
            yield Finding("", f"{prefix}{date}.json", f"it was deleted: the heads of {each.date} follow it")
        elif date in known and known[date] != expected:
            yield Finding("", f"{prefix}{date}.json", f"it is not the document that the heads of {each.date} follow")
