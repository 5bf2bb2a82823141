"""Verification of a version's evidence: artifact, bill of materials and signature, from the records bucket or from a folder.

Needs no AWS but for reading: a folder that `model-factory verify --save` wrote is enough.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

RECORD = "record.json"
"""The registration record in a folder."""
UNSIGNED = ("statement", "signature", "public_key")
"""Files that the statement is not about: itself and what signs it."""
PAYLOAD_TYPE = "application/vnd.in-toto+json"
FACTS = ("prepare_facts", "train_facts", "evaluate_facts")
_CHUNK_BYTES = 1 << 20

type Open = Callable[[str], BinaryIO | None]
"""Opens a file of the evidence by its name; None where it does not exist."""


@dataclass(frozen=True)
class Check:
    """One thing that was verified. `problem`: what is wrong with it; None: nothing. `note`: what was found."""

    name: str
    note: str = ""
    problem: str | None = None


def verify(record: Mapping[str, Any], opened: Open, public_key: bytes | None = None) -> list[Check]:
    """Verify the files that a registration record names, its bill of materials and its signature.

    Args:
        record: The registration record.
        opened: Opens a file by its name in the record's `evidence`.
        public_key: The key that must have signed, PEM or DER. Default: the key in the evidence, which the note says.
    """
    evidence = cast(dict[str, dict[str, Any]], record.get("evidence") or {})
    if not evidence:
        return [Check("evidence", problem="the record names no files")]
    checks = [_content(name, entry, opened) for name, entry in sorted(evidence.items())]
    missing = cast(dict[str, str], record.get("facts", {}).get("missing") or {})
    checks += [Check(name, problem=f"it was not kept: {why}") for name, why in sorted(missing.items())]
    differences = cast(list[str], record.get("facts", {}).get("differences") or [])
    checks += [Check("sources", note=each) for each in differences]
    if registered := record.get("facts", {}).get("artifact_digest"):
        kept = evidence.get("artifact", {}).get("sha256")
        other = None if kept == registered else f"its SHA-256 is {kept}, and {registered} was evaluated and registered"
        checks.append(Check("artifact and evaluation", note=f"SHA-256 {registered}", problem=other))
    if "sbom" in evidence:
        checks.append(_bill(evidence, opened))
    if "signature" in evidence:
        checks.append(_signature(record, evidence, opened, public_key))
    return checks


def folder_files(folder: Path) -> Open:
    """Files of a folder that `model-factory verify --save` wrote."""

    def opened(name: str) -> BinaryIO | None:
        path = folder / name
        return path.open("rb") if path.is_file() and path.resolve().is_relative_to(folder.resolve()) else None

    return opened


def _content(name: str, entry: Mapping[str, Any], opened: Open) -> Check:
    file = opened(name)
    if file is None:
        return Check(name, problem="the file is missing")
    digest = hashlib.sha256()
    with file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != entry["sha256"]:
        return Check(name, problem=f"its SHA-256 is {digest.hexdigest()}, and the record has {entry['sha256']}")
    return Check(name, note=f"SHA-256 {entry['sha256']}, {entry['size']} bytes")


def _bill(evidence: Mapping[str, Mapping[str, Any]], opened: Open) -> Check:
    """The bill of materials is about this artifact, and names every library that a job had loaded."""
    bill = _json("sbom", opened)
    hashed = bill.get("metadata", {}).get("component", {}).get("hashes") or [{}]
    if bill.get("bomFormat") != "CycloneDX" or hashed[0].get("content") != evidence.get("artifact", {}).get("sha256"):
        return Check("bill of materials", problem="it is about another artifact")
    listed = {(each.get("name"), each.get("version")) for each in bill.get("components", [])}
    loaded = {
        (name, version)
        for facts in FACTS
        if facts in evidence
        for name, version in (_json(facts, opened).get("libraries") or {}).items()
    }
    if left_out := sorted(loaded - listed):
        return Check("bill of materials", problem=f"{left_out[0][0]} {left_out[0][1]} was loaded and is not in it")
    return Check("bill of materials", note=f"{len(loaded)} libraries")


def _signature(
    record: Mapping[str, Any], evidence: Mapping[str, Mapping[str, Any]], opened: Open, public_key: bytes | None
) -> Check:
    """The statement is about exactly the record's files and version, and was signed by the key."""
    envelope = cast(dict[str, Any], _json("signature", opened).get("dsseEnvelope") or {})
    try:
        payload, signature = (
            base64.b64decode(text, validate=True) for text in (envelope["payload"], envelope["signatures"][0]["sig"])
        )
        key_bytes = public_key or _read("public_key", opened)
        key: Any = (load_pem_public_key if key_bytes.startswith(b"-----") else load_der_public_key)(key_bytes)
        signed = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
        key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
        statement = json.loads(payload)
    except InvalidSignature:
        return Check("signature", problem="the statement was not signed by this key, or was altered")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, UnsupportedAlgorithm) as error:
        return Check("signature", problem=f"it cannot be read: {type(error).__name__} {error}")
    if problem := _wrong_statement(record, evidence, statement):
        return Check("signature", problem=problem)
    known = "the key given" if public_key else "the key in the evidence, which was compared with no other"
    return Check("signature", note=f"{len(evidence)} files, signed by {known}")


def _wrong_statement(
    record: Mapping[str, Any], evidence: Mapping[str, Mapping[str, Any]], statement: Mapping[str, Any]
) -> str | None:
    predicate = statement.get("predicate", {})
    stated = {each.get("name"): each.get("digest") for each in predicate.get("resources", [])}
    named = {name: entry["sha256"] for name, entry in evidence.items() if name not in UNSIGNED}
    if stated != named:
        different = sorted(
            str(name) for name in set(stated) ^ set(named) or [n for n in named if stated[n] != named[n]]
        )
        return f"the signed statement and the record differ in {', '.join(different[:3])}"
    if predicate.get("model_package") != record.get("subject"):
        return f"the signed statement is about {predicate.get('model_package')}"
    return None


def _read(name: str, opened: Open) -> bytes:
    file = opened(name)
    if file is None:
        return b""
    with file:
        return file.read()


def _json(name: str, opened: Open) -> dict[str, Any]:
    """A JSON object; empty where the file is missing or is none, which its own check says."""
    try:
        parsed: Any = json.loads(_read(name, opened))
    except ValueError:
        return {}
    return cast(dict[str, Any], parsed) if isinstance(parsed, dict) else {}
