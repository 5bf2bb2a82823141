"""The format of signed heads: what the newest record of each chain is on one day, and the digest of the heads before.

`_heads/<date>.json` is this document and `_heads/<date>.sig` its signature: ECDSA on NIST P-256 over the SHA-256 of the
document's bytes, in DER, as KMS gives it and openssl reads it. Nothing here calls AWS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .chain import encode

FOLDER = "_heads"
"""Folder of the signed heads in the records bucket; no model has a name with an underscore."""
SCHEMA = "model-factory/heads/1"
ALGORITHM = "ECDSA_SHA_256"
"""KMS's name of the signing algorithm."""


@dataclass(frozen=True)
class Head:
    """The newest record of a chain: its number and the SHA-256 of its bytes."""

    sequence: int
    digest: str


def heads_key(date: str, prefix: str = f"{FOLDER}/") -> str:
    """Key of the heads of a day, such as `_heads/2026-11-26.json`."""
    return f"{prefix}{date}.json"


def signature_key(document_key: str) -> str:
    """Key of the signature of a document of heads."""
    return f"{document_key.removesuffix('.json')}.sig"


def document(
    time: datetime,
    chains: Mapping[str, Head],
    *,
    factory: str,
    environment: str,
    key: str,
    previous: tuple[str, str] | None,
) -> bytes:
    """The bytes of the document of heads.

    Args:
        time: When the chains were listed.
        chains: The newest record of each chain, by the folder of the chain.
        factory: Name of the factory.
        environment: Name of the environment.
        key: ARN of the KMS key that signs.
        previous: Date and SHA-256 of the document before; None: there is none.
    """
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "factory": factory,
        "environment": environment,
        "signed": time.astimezone(UTC).isoformat(),
        "key": key,
        "algorithm": ALGORITHM,
        "previous": {"date": previous[0], "digest": previous[1]} if previous else None,
        "chains": {name: {"sequence": head.sequence, "digest": head.digest} for name, head in sorted(chains.items())},
    }
    return encode(content)
