"""An administrator who tampers with a records bucket, and may do everything but sign with KMS.

Every tampering happens after the heads were signed; it covers its tracks as far as it can: later records are written anew with
the right digests, `recorded` is set to the time of the tampering, markers are renewed, heads in the same account are deleted.
"""

import copy
import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from model_factory.functions.shared.chain import (
    chain_prefix,
    digest,
    encode,
    evidence_key,
    index_key,
    read_lineage_key,
    record_key,
)
from model_factory.functions.shared.heads import heads_key, signature_key

from .chains import MemoryObjects
from .tampering import MODELS, Chain, read


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
            [
                self.alter,
                self.delete,
                self.insert,
                self.back_date,
                self.reorder,
                self.swap,
                self.file,
                self.exchange,
                self.marker,
                self.lineage,
                self.heads,
            ]
        )
        done = what()
        if what != self.heads and self.random.random() < 0.3:
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

    def exchange(self) -> str:
        """Exchange the contents of two files of two models: each is a file of the evidence, but another one."""
        one, other = self.random.sample([each for each in MODELS if each], 2)
        self.models |= {one, other}
        keys = [self.random.choice(self._keys(f"{each}/evidence/")) for each in (one, other)]
        contents = [self.objects.read(key) or b"" for key in keys]
        over = self.random.random() < 0.5
        for key, content in zip(keys, reversed(contents), strict=True):
            if not over:
                self.objects.erase(key)
            self.objects.put(key, content)
        return f"exchange files of {one} and {other}, {'put over' if over else 'replace'}"

    def marker(self) -> str:
        """Change markers of records alone: newest looks records up by them."""
        model = self.random.choice(MODELS)
        self.models.add(model)
        return f"marker of {model or '_environment'}, {self._change_marker(f'{model or "_environment"}/index/', hidden=False)}"

    def lineage(self) -> str:
        """Hide from the look-up by object that a training read it, or invent one."""
        key = self.random.choice(self._keys("_lineage/"))
        self.models.add(read_lineage_key(key)[1])
        return f"lineage marker, {self._change_marker(key, hidden=True)}"

    def heads(self) -> str:
        """Change signed heads: the audit names the document, and no model."""
        self.models.add("")
        key = self.random.choice(self._keys("_heads/"))
        how = self.random.choice(["put over", "replace", "erase", "mark", "back-date"])
        if how in ("replace", "erase"):
            self.objects.erase(key)
        if how in ("replace", "put over"):
            self.objects.put(key, self.random.randbytes(80))
        elif how == "mark":
            self.objects.mark_deleted(key)
        elif how == "back-date":
            invented = heads_key("2026-10-30")
            self.objects.put(invented, self.objects.read(heads_key("2026-11-01")) or b"")
            self.objects.put(signature_key(invented), self.objects.read(signature_key(heads_key("2026-11-01"))) or b"")
        return f"heads {key}, {how}"

    def _change_marker(self, prefix: str, *, hidden: bool) -> str:
        """Change one marker below a prefix. `hidden`: an invented one is found after the time that the recorder has."""
        key = self.random.choice(self._keys(prefix))
        how = self.random.choice(["erase", "mark", "put over", "insert"])
        if how == "erase":
            self.objects.erase(key)
        elif how == "mark":
            self.objects.mark_deleted(key)
        elif how == "put over":
            self.objects.put(key, b"")
        else:
            number = key[key.rindex("-") + 1 :]
            self.objects.put(
                key.removesuffix(number) + (f"v{self.random.randrange(10, 99)}" if hidden else "9999"), b""
            )
        if how in ("erase", "insert"):
            self.objects.now += timedelta(minutes=16)
        return how

    def _keys(self, prefix: str) -> list[str]:
        return sorted(each for each in self.objects.objects if each.startswith(prefix))

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
