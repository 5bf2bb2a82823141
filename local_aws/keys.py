"""KMS: signatures of digests. Moto signs every message as it is, also one that the request says is a digest."""

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from moto.core.exceptions import JsonRESTError
from moto.kms.exceptions import ValidationException
from moto.kms.responses import KmsResponse

from .interfaces import Patchable

HASHES: dict[str, hashes.HashAlgorithm] = {
    "ECDSA_SHA_256": hashes.SHA256(),
    "ECDSA_SHA_384": hashes.SHA384(),
    "ECDSA_SHA_512": hashes.SHA512(),
}
"""Hash functions by signing algorithm."""


class InvalidSignatureError(JsonRESTError):
    """A signature that does not fit."""

    code = 400

    def __init__(self) -> None:
        super().__init__("KMSInvalidSignatureException", "")


def install(server: Patchable) -> None:
    """Sign and verify digests as KMS does: Sign with MessageType DIGEST hashes nothing (KMS API reference, Sign)."""
    sign, verify = KmsResponse.sign, KmsResponse.verify

    def sign_digest(self: Any) -> Any:
        if self._get_param("MessageType") != "DIGEST":
            return sign(self)
        key, algorithm, message = _request(self)
        signature = key.private_key.private_key.sign(message, algorithm)
        encoded = base64.b64encode(signature).decode()
        return json.dumps(
            {"KeyId": key.arn, "Signature": encoded, "SigningAlgorithm": self._get_param("SigningAlgorithm")}
        )

    def verify_digest(self: Any) -> Any:
        if self._get_param("MessageType") != "DIGEST":
            if not json.loads(verified := verify(self))["SignatureValid"]:
                raise InvalidSignatureError
            return verified
        key, algorithm, message = _request(self)
        signature = base64.b64decode(self._get_param("Signature"))
        try:
            key.private_key.private_key.public_key().verify(signature, message, algorithm)
        except InvalidSignature:
            raise InvalidSignatureError from None
        chosen = self._get_param("SigningAlgorithm")
        return json.dumps({"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": chosen})

    server.replace(KmsResponse, "sign", sign_digest)
    server.replace(KmsResponse, "verify", verify_digest)


def _request(response: Any) -> tuple[Any, ec.ECDSA, bytes]:
    """Key, algorithm and digest of a request."""
    name = response._get_param("KeyId")
    response._validate_key_id(name)
    key, algorithm = response.kms_backend.describe_key(name), response._get_param("SigningAlgorithm")
    if algorithm not in (key.signing_algorithms or []):
        raise ValidationException(f"Algorithm {algorithm} is incompatible with key spec {key.key_spec}.")
    if algorithm not in HASHES:
        raise NotImplementedError(f"the embedded AWS signs no digests with {algorithm}")
    return key, ec.ECDSA(Prehashed(HASHES[algorithm])), response._get_param("Message")
