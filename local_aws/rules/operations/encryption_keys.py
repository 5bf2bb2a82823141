"""KMS: what a key's state, usage and specification allow."""

from typing import Any

from ..checks import first, outside
from ..rule import Entry, Params, Request, Values, table

STATES = "KMS developer guide: Key states of AWS KMS keys"
CREATE = "KMS API reference: CreateKey"
rule = table("kms", "ValidationException", "KMS API reference: Sign")

USES = "Sign Verify GetPublicKey Encrypt GenerateDataKey"
ARN = "arn:aws:kms:us-east-1:123456789012:key/k"
SIGNING = ("SIGN_VERIFY", "ECC_NIST_P256", ["ECDSA_SHA_256"])


def key_of(request: Request) -> Params:
    """The record of the request's key in the own account; empty for another one's."""
    name = str(request.params.get("KeyId", ""))
    if name.startswith("arn:") and f":{request.account}:" not in name:
        return {}
    return request.find("key", name if name.startswith("alias/") else name.rpartition("/")[2]) or {}


def _in_state(state: str) -> Any:
    def check(request: Request) -> Values | None:
        key = key_of(request)
        return {"key": key["Arn"]} if key.get("KeyState") == state else None

    return check


def _does_not_encrypt(request: Request) -> Values | None:
    key = key_of(request)
    usage = key.get("KeyUsage", "ENCRYPT_DECRYPT")
    return None if usage == "ENCRYPT_DECRYPT" else {"key": key["Arn"], "usage": usage}


def _other_algorithm(request: Request) -> Values | None:
    key, algorithm = key_of(request), request.params.get("SigningAlgorithm")
    algorithms = key.get("SigningAlgorithms") or [algorithm]
    return None if algorithm in algorithms else {"algorithm": algorithm, "spec": key.get("KeySpec")}


def _without_usage(request: Request) -> bool:
    return (
        first(request.params, "KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT"
        and "KeyUsage" not in request.params
    )


def _other_usage(request: Request) -> Values | None:
    spec, usage = first(request.params, "KeySpec", "SYMMETRIC_DEFAULT"), first(request.params, "KeyUsage", "")
    if (spec.startswith("ECC_") and usage == "ENCRYPT_DECRYPT") or (
        spec == "SYMMETRIC_DEFAULT" and usage == "SIGN_VERIFY"
    ):
        return {"spec": spec, "usage": usage}
    return None


def _asymmetric(request: Request) -> bool:
    return key_of(request).get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT"


def _key(usage: str, spec: str, algorithms: list[str], state: str = "Enabled") -> dict[str, Any]:
    return {"Arn": ARN, "KeyUsage": usage, "KeySpec": spec, "SigningAlgorithms": algorithms, "KeyState": state}


GIVEN = {
    "key/signs": _key(*SIGNING),
    "key/encrypts": _key("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", []),
    "key/disabled": _key(*SIGNING, state="Disabled"),
    "key/deleted": _key(*SIGNING, state="PendingDeletion"),
}
SIGN = {"KeyId": "signs", "SigningAlgorithm": "ECDSA_SHA_256", "Message": b"m"}

ENTRIES: tuple[Entry, ...] = (
    rule(
        USES,
        "A disabled key is not used.",
        "{key} is disabled.",
        _in_state("Disabled"),
        SIGN,
        SIGN | {"KeyId": "disabled"},
        code="DisabledException",
        source=STATES,
        given=GIVEN,
    ),
    rule(
        USES,
        "A key that waits for its deletion is not used.",
        "{key} is pending deletion.",
        _in_state("PendingDeletion"),
        SIGN,
        SIGN | {"KeyId": "deleted"},
        code="KMSInvalidStateException",
        source=STATES,
        given=GIVEN,
    ),
    rule(
        "Encrypt",
        "Only keys for encryption encrypt.",
        "{key} key usage is {usage} which is not valid for Encrypt.",
        _does_not_encrypt,
        {"KeyId": "encrypts", "Plaintext": b"m"},
        {"KeyId": "signs", "Plaintext": b"m"},
        code="InvalidKeyUsageException",
        source="KMS API reference: Encrypt",
        given=GIVEN,
    ),
    rule(
        "GenerateDataKey",
        "Only keys for encryption make data keys.",
        "{key} key usage is {usage} which is not valid for GenerateDataKey.",
        _does_not_encrypt,
        {"KeyId": "encrypts", "KeySpec": "AES_256"},
        {"KeyId": "signs", "KeySpec": "AES_256"},
        code="InvalidKeyUsageException",
        source="KMS API reference: GenerateDataKey",
        given=GIVEN,
    ),
    rule(
        "Sign Verify",
        "A key signs with the algorithms of its specification.",
        "Algorithm {algorithm} is incompatible with key spec {spec}.",
        _other_algorithm,
        SIGN,
        SIGN | {"SigningAlgorithm": "RSASSA_PSS_SHA_256"},
        code="InvalidKeyUsageException",
        given=GIVEN,
    ),
    rule(
        "CreateKey",
        "A key that is not for symmetric encryption names its usage.",
        "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
        _without_usage,
        {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
        {"KeySpec": "ECC_NIST_P256"},
        source=CREATE,
    ),
    rule(
        "CreateKey",
        "The usage of a key fits its specification.",
        "KeyUsage {usage} is not compatible with KeySpec {spec}",
        _other_usage,
        {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
        {"KeySpec": "ECC_NIST_P256", "KeyUsage": "ENCRYPT_DECRYPT"},
        source=CREATE,
        inferred=True,
    ),
    rule(
        "EnableKeyRotation",
        "Only symmetric encryption keys rotate.",
        "You cannot perform this operation on a key that is not a symmetric encryption key.",
        _asymmetric,
        {"KeyId": "encrypts"},
        {"KeyId": "signs"},
        code="UnsupportedOperationException",
        source="KMS API reference: EnableKeyRotation",
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "ScheduleKeyDeletion",
        "A key waits for its deletion for 7 to 30 days.",
        "PendingWindowInDays must be between 7 and 30 (inclusive)",
        outside(7, 30, "PendingWindowInDays"),
        {"KeyId": "signs", "PendingWindowInDays": 7},
        {"KeyId": "signs", "PendingWindowInDays": 6},
        source="KMS API reference: ScheduleKeyDeletion",
        inferred=True,
    ),
)
