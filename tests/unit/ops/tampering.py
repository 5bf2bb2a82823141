"""Random tampering with a records bucket, by an administrator who may do everything but sign with KMS.

Every tampering happens after the heads were signed; it covers its tracks as far as it can: later records are written anew with
the right digests, `recorded` is set to the time of the tampering, markers are renewed, heads in the same account are deleted.
"""

import copy
import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from model_factory.functions.shared.chain import chain_prefix, digest, encode, evidence_key, index_key, record_key
from model_factory.functions.shared.heads import Head, document, heads_key, signature_key
from model_factory.ops.records.audit import Source, verify
from model_factory.ops.records.heads import Finding, PublicKey
from model_factory.ops.records.schema import parse

from .chains import ENVIRONMENT, FACTORY, MemoryObjects, write

MODELS = ("churn", "fraud", "")
_PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_PEM = _PRIVATE_KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
PUBLIC_KEY = PublicKey(PUBLIC_PEM, "the test's key")

type Chain = list[dict[str, Any]]


def sign_heads(objects: MemoryObjects, *, previous: tuple[str, str] | None = None) -> tuple[str, str]:
    """Write the heads of all chains as lambda/record_signer does; date and SHA-256 of the document."""
    objects.now += timedelta(minutes=1)
    chains = {model or "_environment": read(objects, model) for model in MODELS}
    heads = {name: Head(len(chain), digest(encode(chain[-1]))) for name, chain in chains.items() if chain}
    content = document(
        objects.now, heads, factory=FACTORY, environment=ENVIRONMENT, key="arn:aws:kms:…", previous=previous
    )
    key = heads_key(date := f"{objects.now:%Y-%m-%d}")
    objects.put(key, content)
    objects.put(signature_key(key), _PRIVATE_KEY.sign(content, ec.ECDSA(hashes.SHA256())))
    return date, digest(content)


def environment(random_: random.Random, records: int = 6) -> tuple[MemoryObjects, MemoryObjects]:
    """A records bucket with three chains and heads of two days, and the anchor with the copies of the heads."""
    objects, kinds = MemoryObjects(), ["training", "gate", "registration", "approval", "deployment", "alarm"]

    def more(model: str, count: int) -> None:
        for _ in range(count):
            number = random_.randrange(1, 9)
            files = {"manifest": b"manifest %d" % number, "artifact": random_.randbytes(20)}
            evidence = {"evidence": files} if random_.random() < 0.5 and model else {}
            write(
                objects, model, {"kind": random_.choice(kinds), "version": number} | evidence, step=timedelta(minutes=7)
            )

    for model in MODELS:
        more(model, records // 2)
    previous = sign_heads(objects)
    objects.now += timedelta(days=1)
    for model in MODELS:
        more(model, records - records // 2)
    sign_heads(objects, previous=previous)
    anchor = MemoryObjects()
    anchor.objects = {key: list(each) for key, each in objects.objects.items() if key.startswith("_heads/")}
    return objects, anchor


def read(objects: MemoryObjects, model: str) -> Chain:
    """The records of a chain, oldest first."""
    return [parse(objects.read(group[0].key) or b"") for group in objects.versions(chain_prefix(model))][::-1]


def findings(objects: MemoryObjects, anchor: MemoryObjects | None) -> list[Finding]:
    """What the audit finds."""
    copies = Source(anchor) if anchor else None
    report = verify(Source(objects), copies, PUBLIC_KEY, place=(FACTORY, ENVIRONMENT), now=objects.now)
    return [*report.findings, *(each for chain in report.chains for each in chain.findings)]


class Administrator:
    """One random tampering with a copy of the buckets."""

    def __init__(self, objects: MemoryObjects, seed: int) -> None:
        self.objects = copy.copy(objects)
        self.objects.objects = {key: list(versions) for key, versions in objects.objects.items()}
        self.random = random.Random(seed)
        self.models: set[str] = set()
        # At once, within the time that the audit grants the recorder, or long after.
        self.objects.now += self.random.choice([timedelta(seconds=2), timedelta(minutes=9), timedelta(hours=30)])

    def tamper(self) -> str:
        """Do it; what was done. `models` has the models whose records or files it changed."""
        what: Callable[[], str] = self.random.choice(
            [self.alter, self.delete, self.insert, self.back_date, self.reorder, self.swap, self.file]
        )
        done = what()
        if self.random.random() < 0.3:
            for key in [each for each in self.objects.objects if each.startswith("_heads/")]:
                self.objects.erase(key)
            done += ", heads deleted"
        return done

    def alter(self) -> str:
        model, chain, at = self._record()
        chain[at] = self._changed(chain[at])
        return f"alter {at + 1} of {model or '_environment'}, {self._write(model, chain, at)}"

    def delete(self) -> str:
        model, chain, at = self._record()
        key, how = record_key(model, at + 1), self.random.choice(["mark", "erase", "close the gap", "truncate"])
        if how == "mark":
            self.objects.mark_deleted(key)
        elif how == "erase":
            self.objects.erase(key)
        else:
            kept = chain[:at] if how == "truncate" else chain[:at] + chain[at + 1 :]
            self._rewrite(model, kept, at)
        return f"delete {at + 1} of {model or '_environment'}, {how}"

    def insert(self) -> str:
        model, chain, at = self._record()
        chain.insert(at, self._changed(chain[self.random.randrange(len(chain))] | {"id": "invented"}))
        self._rewrite(model, chain, at)
        return f"insert {at + 1} into {model or '_environment'}"

    def back_date(self) -> str:
        model, chain, at = self._record()
        chain[at] = chain[at] | {"time": (self.objects.now - timedelta(days=self.random.randrange(3, 90))).isoformat()}
        return f"back-date {at + 1} of {model or '_environment'}, {self._write(model, chain, at)}"

    def reorder(self) -> str:
        model, chain, at = self._record()
        other = self.random.choice([each for each in range(len(chain)) if each != at])
        chain[at], chain[other] = chain[other], chain[at]
        self._rewrite(model, chain, min(at, other))
        return f"reorder {at + 1} and {other + 1} of {model or '_environment'}"

    def swap(self) -> str:
        model, chain, at = self._record()
        other = self.random.choice([each for each in MODELS if each != model])
        self.models.add(other)
        theirs = read(self.objects, other)
        where = self.random.randrange(len(theirs))
        rename = self.random.random() < 0.7
        chain[at], theirs[where] = theirs[where], chain[at]
        if rename:
            chain[at], theirs[where] = chain[at] | {"model": model}, theirs[where] | {"model": other}
        self._rewrite(model, chain, at)
        self._rewrite(other, theirs, where)
        return f"swap {at + 1} of {model or '_environment'} with {where + 1} of {other or '_environment'}"

    def file(self) -> str:
        """Change a file of the evidence: a manifest, an artifact."""
        named = [
            (model, at, name)
            for model in MODELS
            for at, each in enumerate(read(self.objects, model))
            for name in each["evidence"]
        ]
        model, at, name = self.random.choice(named)
        self.models.add(model)
        chain = read(self.objects, model)
        key = evidence_key(model, chain[at]["evidence"][name]["sha256"])
        how = self.random.choice(["put over", "replace", "erase", "mark", "rename and rewrite"])
        other = self.random.randbytes(chain[at]["evidence"][name]["size"])
        if how == "put over":
            self.objects.put(key, other)
        elif how == "mark":
            self.objects.mark_deleted(key)
        else:
            self.objects.erase(key)
        if how == "replace":
            self.objects.put(key, other)
        elif how == "rename and rewrite":
            self.objects.put(evidence_key(model, digest(other)), other)
            files = chain[at]["evidence"] | {name: chain[at]["evidence"][name] | {"sha256": digest(other)}}
            chain[at] = chain[at] | {"evidence": files}
            self._rewrite(model, chain, at)
        return f"file {name} of {at + 1} of {model}, {how}"

    def _record(self) -> tuple[str, Chain, int]:
        model = self.random.choice(MODELS)
        self.models.add(model)
        chain = read(self.objects, model)
        return model, chain, self.random.randrange(len(chain))

    def _changed(self, record: dict[str, Any]) -> dict[str, Any]:
        by: dict[str, Any] = {"identity": "somebody else", "source": "sqs-sender", "claimed": None}
        return record | self.random.choice(
            [
                {"facts": {"outcome": "failed"}},
                {"version": 99},
                {"by": by},
                {"kind": "retrain"},
                {"subject": "arn:aws:x"},
            ]
        )

    def _write(self, model: str, chain: Chain, at: int) -> str:
        """Write one changed record over, in its place, or with all later ones; which."""
        how = self.random.choice(["put over", "replace", "rewrite"])
        if how == "rewrite":
            self._rewrite(model, chain, at)
            return how
        key = record_key(model, at + 1)
        if how == "replace":
            self.objects.erase(key)
        self.objects.put(key, encode(chain[at]))
        return how

    def _rewrite(self, model: str, chain: Sequence[dict[str, Any]], first: int) -> None:
        """Write the records from index `first` on anew, with right numbers, digests and markers."""
        prefix, now = chain_prefix(model), self.objects.now.isoformat()
        for key in [each for each in self.objects.objects if each.startswith(prefix)]:
            if int(key.rpartition("-")[2].removesuffix(".json")) > first:
                self.objects.erase(key)
        hide = self.random.random() < 0.7
        for number in range(first + 1, len(chain) + 1):
            previous = self.objects.read(record_key(model, number - 1)) if number > 1 else None
            record = chain[number - 1] | {"sequence": number, "previous": digest(previous) if previous else None}
            self.objects.put(record_key(model, number), encode(record | ({"recorded": now} if hide else {})))
        for key in [each for each in self.objects.objects if each.startswith(f"{model or '_environment'}/index/")]:
            self.objects.erase(key)
        for record in read(self.objects, model):
            self.objects.put(index_key(record), b"")
