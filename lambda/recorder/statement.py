"""The signed statement about a version: the SHA-256 of every file of its evidence, in the form of OpenSSF model signing 1.0.

It is an in-toto statement in a DSSE envelope in a Sigstore bundle, so that `model_signing verify key` reads it. The subject's
digest is that of the digests of all files, in order of their names. Sources: the DSSE protocol 1.0, the in-toto attestation
framework's Statement v1, and the OpenSSF Model Signing Specification 1.0.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

PAYLOAD_TYPE = "application/vnd.in-toto+json"
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
RECORD = "record.json"
"""The record's name in a folder that `model-factory verify --save` writes."""
UNSIGNED = ("statement", "signature", "public_key")
"""Files of a record's evidence that the statement is not about."""


def statement(evidence: Mapping[str, Mapping[str, Any]], *, model: str, version: int, subject: str) -> bytes:
    """The statement about the files of a version, as the bytes to sign.

    Args:
        evidence: Entries of the record, by name.
        model: Name of the model.
        version: Its version.
        subject: ARN of the model package. It is in the predicate, so that a signature cannot be used for another version.
    """
    files = sorted((name, str(entry["sha256"])) for name, entry in evidence.items() if name not in UNSIGNED)
    root = hashlib.sha256(b"".join(bytes.fromhex(digest) for _, digest in files)).hexdigest()
    content = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": f"{model}@{version}", "digest": {"sha256": root}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [*UNSIGNED, RECORD],
            },
            "resources": [{"name": name, "algorithm": "sha256", "digest": digest} for name, digest in files],
            # Verifiers of version 1.0 ignore other members.
            "model_package": subject,
        },
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def sign(payload: bytes, kms: Any, key: str) -> tuple[bytes, bytes]:
    """The Sigstore bundle with the payload, signed with a KMS key of ECC_NIST_P256, and the public key as PEM.

    KMS gets the digest of what is signed: a message is limited to 4,096 bytes ('Sign', KMS API reference).
    """
    digest = hashlib.sha256(pre_authentication_encoding(payload)).digest()
    signature = kms.sign(KeyId=key, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    public_key = pem(kms.get_public_key(KeyId=key)["PublicKey"])
    bundle: dict[str, Any] = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": hashlib.sha256(public_key).hexdigest()}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
        },
    }
    return json.dumps(bundle, indent=1).encode(), public_key


def pre_authentication_encoding(payload: bytes) -> bytes:
    """What a DSSE signature is over: type and payload, each with its length."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def pem(public_key: bytes) -> bytes:
    """A public key in DER, as GetPublicKey gives it, as PEM."""
    lines = base64.b64encode(public_key).decode()
    body = "\n".join(lines[start : start + 64] for start in range(0, len(lines), 64))
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n".encode()
