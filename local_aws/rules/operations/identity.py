"""STS, KMS, Systems Manager's parameters, and SageMaker's runtime."""

import json
from typing import Any

from ..checks import absent, found, larger_than, matching, not_matching, together
from ..rule import Entry, NotEnforced, Request, Values, table

ASSUME = "STS API reference: AssumeRole"
sts = table("sts", "ValidationError", ASSUME)
kms = table("kms", "ValidationException", "KMS API reference: GenerateDataKey")
ssm = table("ssm", "ValidationException", "Systems Manager API reference: GetParametersByPath")
runtime = table("sagemaker-runtime", "ValidationError", "SageMaker Runtime API reference: InvokeEndpoint")

ROLE, LONG_ROLE = "arn:aws:iam::123456789012:role/r", "arn:aws:iam::123456789012:role/long"
ROLES = {f"role/{ROLE}": {"MaxSessionDuration": 3600}, f"role/{LONG_ROLE}": {"MaxSessionDuration": 43200}}
SIGN = {"KeyId": "signs", "SigningAlgorithm": "ECDSA_SHA_256"}
NAME = 'Parameter name: can\'t be prefixed with "ssm" (case-insensitive).'


def assume(role: str = ROLE, **more: Any) -> dict[str, Any]:
    """Parameters of AssumeRole."""
    return {"RoleArn": role, "RoleSessionName": "session", **more}


def _beyond_maximum(request: Request) -> bool:
    role = request.find("role", request.params["RoleArn"]) or {}
    longest = role.get("MaxSessionDuration", 43200)
    return not request.service and request.params.get("DurationSeconds", 0) > longest


def _chained(request: Request) -> bool:
    chained = not request.service and bool(request.role) and request.find("role", request.role) is not None
    return chained and request.params.get("DurationSeconds", 0) > 3600


def _is_no_json(request: Request) -> bool:
    try:
        json.loads(request.params.get("Policy", "{}"))
    except ValueError:
        return True
    return False


def _session_policies(request: Request) -> Values | None:
    arns = sum(len(arn) for arn in found(request.params, "PolicyArns[].arn"))
    count = len(request.params.get("Policy", "")) + arns
    return {"count": count} if count > 2048 else None


def _wrong_digest(request: Request) -> Values | None:
    algorithm = str(request.params.get("SigningAlgorithm"))
    bits = algorithm.rpartition("_")[2]
    digest = request.params.get("MessageType") == "DIGEST" and bits.isdigit()
    return {"algorithm": algorithm} if digest and len(request.params.get("Message", b"")) * 8 != int(bits) else None


def _does_not_sign(request: Request) -> Values | None:
    name = str(request.params.get("KeyId"))
    key = request.find("key", name.rpartition("/")[2]) if not name.startswith("alias/") else None
    return {"key": name} if key and key.get("KeyUsage") == "ENCRYPT_DECRYPT" else None


def parameter(**more: Any) -> dict[str, Any]:
    """Parameters of PutParameter."""
    return {"Name": "/factory/p", "Value": "v", "Type": "String", **more}


ENTRIES: tuple[Entry, ...] = (
    sts(
        "AssumeRole",
        "A session is not longer than the role's maximum.",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        _beyond_maximum,
        assume(DurationSeconds=3600),
        assume(DurationSeconds=7200),
        given=ROLES,
    ),
    sts(
        "AssumeRole",
        "A role that a role session assumes gives sessions of an hour at most.",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        _chained,
        assume(LONG_ROLE, DurationSeconds=3600),
        assume(LONG_ROLE, DurationSeconds=7200),
        given=ROLES,
        sent={"role": ROLE},
        sent_refused={"role": ROLE},
    ),
    sts(
        "AssumeRole",
        "Session policies have 2,048 characters together.",
        "The session policies have {count} characters; the maximum is 2048",
        _session_policies,
        assume(Policy='{"Version": "2012-10-17", "Statement": []}'),
        assume(Policy=json.dumps({"Version": "2012-10-17", "Statement": [], "Id": "x" * 2048})),
        code="PackedPolicyTooLarge",
        given=ROLES,
        inferred=True,
    ),
    sts(
        "AssumeRole",
        "A session policy is JSON.",
        "Syntax errors in policy.",
        _is_no_json,
        assume(Policy='{"Version": "2012-10-17", "Statement": []}'),
        assume(Policy="{"),
        code="MalformedPolicyDocument",
        given=ROLES,
    ),
    kms(
        "GenerateDataKey",
        "A data key has a specification or a number of bytes, not both.",
        "Please specify either number of bytes or key spec.",
        lambda request: ("KeySpec" in request.params) == ("NumberOfBytes" in request.params),
        {"KeyId": "k", "KeySpec": "AES_256"},
        {"KeyId": "k"},
    ),
    kms(
        "Sign Verify",
        "A digest has the length of the algorithm's hash.",
        "Digest is invalid length for algorithm {algorithm}.",
        _wrong_digest,
        {**SIGN, "MessageType": "DIGEST", "Message": b"d" * 32},
        {**SIGN, "MessageType": "DIGEST", "Message": b"d" * 33},
        source="KMS API reference: Sign",
    ),
    kms(
        "Sign Verify GetPublicKey",
        "Only asymmetric keys that sign and verify sign.",
        "{key} key usage is ENCRYPT_DECRYPT which is not valid for this operation.",
        _does_not_sign,
        {**SIGN, "Message": b"m"},
        {**SIGN, "KeyId": "encrypts", "Message": b"m"},
        code="InvalidKeyUsageException",
        source="KMS API reference: Sign",
        given={"key/signs": {"KeyUsage": "SIGN_VERIFY"}, "key/encrypts": {"KeyUsage": "ENCRYPT_DECRYPT"}},
        inferred=True,
    ),
    NotEnforced(
        "kms",
        "Encrypt Decrypt",
        "Data is decrypted with the encryption context that it was encrypted with.",
        "KMS API reference: Decrypt",
        "Moto's own cryptography refuses another context with InvalidCiphertextException.",
    ),
    ssm(
        "GetParametersByPath",
        "A path begins with a slash.",
        "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "
        '"/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive).',
        not_matching(r"/.*", "Path"),
        {"Path": "/factory"},
        {"Path": "factory"},
    ),
    ssm(
        "GetParametersByPath PutParameter",
        "A hierarchy of parameters has at most 15 levels.",
        "A hierarchy can have a maximum of 15 levels. See Requirements and constraints for parameter names.",
        lambda request: any(
            path.strip("/").count("/") >= 15
            for name in ("Path", "Name")
            for path in found(request.params, name)
            if path.startswith("/")
        ),
        {"Path": "/a" * 15},
        {"Path": "/a" * 16},
        code="HierarchyLevelLimitExceededException",
    ),
    ssm(
        "PutParameter",
        "Names do not begin with aws.",
        "No access to reserved parameter name: {value}.",
        matching(r"(?i)^/?aws", "Name"),
        parameter(),
        parameter(Name="/aws/p"),
        code="AccessDeniedException",
        source="Systems Manager API reference: PutParameter",
    ),
    ssm(
        "PutParameter",
        "Names do not begin with ssm.",
        NAME,
        matching(r"(?i)^/?ssm", "Name"),
        parameter(),
        parameter(Name="ssm-p"),
        source="Systems Manager API reference: PutParameter",
    ),
    ssm(
        "PutParameter",
        "The value of a standard parameter has 4 KB.",
        "Standard tier parameters support a maximum parameter value of 4096 characters.",
        lambda request: request.params.get("Tier", "Standard") == "Standard" and larger_than(4096, "Value")(request),
        parameter(),
        parameter(Value="v" * 4097),
        source="Systems Manager API reference: PutParameter",
    ),
    runtime(
        "InvokeEndpoint InvokeEndpointAsync",
        "The endpoint exists.",
        "Endpoint {value} of account {account} not found.",
        absent("endpoint", "EndpointName"),
        {"EndpointName": "e", "Body": b""},
        {"EndpointName": "missing", "Body": b""},
        given={"endpoint/e": {}},
    ),
    runtime(
        "InvokeEndpoint",
        "A request names a variant or an inference component.",
        "TargetVariant and InferenceComponentName cannot be specified together",
        together("TargetVariant", "InferenceComponentName"),
        {"EndpointName": "e", "Body": b"", "TargetVariant": "main"},
        {"EndpointName": "e", "Body": b"", "TargetVariant": "main", "InferenceComponentName": "c"},
        given={"endpoint/e": {}},
        inferred=True,
    ),
)
