"""KMS Sign with `MessageType` DIGEST: moto hashes the digest again, so that only moto could verify the signature.

Source: KMS API reference, Sign: with DIGEST the message is a hash value and is signed as it is; with RAW it is hashed first.
"""

import base64
import json
from types import ModuleType
from typing import Any

from .interfaces import EmbeddedAws


def install(local: EmbeddedAws) -> None:
    """Sign digests as they are."""
    local.when_imported("moto.kms.responses", lambda module: _sign_digests(local, module))


def _sign_digests(local: EmbeddedAws, module: ModuleType) -> None:
    # moto's KMS imports these; before it they would cost each start of the server a tenth of a second.
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from moto.kms.exceptions import ValidationException

    algorithms = {"ECDSA_SHA_256": hashes.SHA256(), "ECDSA_SHA_384": hashes.SHA384(), "ECDSA_SHA_512": hashes.SHA512()}
    sign = module.KmsResponse.sign

    def sign_digest(self: Any) -> str:
        if self._get_param("MessageType") != "DIGEST":
            return sign(self)
        digest, name = self._get_param("Message"), self._get_param("SigningAlgorithm")
        key = self.kms_backend.describe_key(self._get_param("KeyId"))
        if name not in algorithms:
            raise ValidationException(f"The embedded AWS signs digests with {', '.join(algorithms)}, not with {name}")
        if name not in (key.signing_algorithms or ()):
            raise ValidationException(f"Algorithm {name} is incompatible with key spec {key.key_spec}.")
        if len(digest) != algorithms[name].digest_size:
            raise ValidationException(f"Digest is invalid length for algorithm {name}.")
        signature = key.private_key.private_key.sign(digest, ECDSA(Prehashed(algorithms[name])))
        encoded = base64.b64encode(signature).decode()
        return json.dumps({"KeyId": key.arn, "Signature": encoded, "SigningAlgorithm": name})

    local.replace(module.KmsResponse, "sign", sign_digest)
