"""Answers the AWS calls of the SageMaker SDK while a definition is written, without AWS. Records what is uploaded to S3.

The SDK asks for the account, for a role and for the default bucket, and uploads code to that bucket. Any other call is refused:
a definition that depends on the state of an account would differ from one synth to the next.
"""

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

TIME = datetime(2020, 1, 1, tzinfo=UTC)


class RefusedError(OSError):
    """`get_pipeline` did what is not possible at synth; the message says what. For libraries, no connection could be made."""


class AwsCalls:
    """The answers, and the uploads by their key in `bucket`. `role_arn`: the role that the SDK may look up.

    `refused`: the first call or connection that was refused. `refused_call`: the first call, which no library makes for itself:
    the SDK goes on without the connections that it tries for its own purposes, such as its telemetry.
    """

    def __init__(self, account: str, bucket: str, role_arn: str) -> None:
        self._bucket = bucket
        self.uploads: dict[str, bytes] = {}
        self._parts: dict[str, dict[int, bytes]] = {}
        self.refused: RefusedError | None = None
        self.refused_call: RefusedError | None = None
        self._answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "sts.GetCallerIdentity": lambda _: {"Account": account, "Arn": role_arn, "UserId": "synth"},
            "iam.GetRole": lambda request: {"Role": {"RoleName": request["RoleName"], "Arn": role_arn}},
            "iam.SimulatePrincipalPolicy": lambda request: {"EvaluationResults": _allowed(request)},
            "s3.ListBuckets": lambda _: {"Buckets": [{"Name": bucket, "CreationDate": TIME}]},
            "s3.GetBucketLocation": lambda _: {},
            "s3.HeadBucket": lambda _: {},
            "s3.CreateBucket": lambda _: {},
            "s3.PutObject": self._put,
            "s3.HeadObject": self._head,
            "s3.ListObjectsV2": self._list,
            "s3.ListObjects": self._list,
            "s3.CreateMultipartUpload": self._begin,
            "s3.UploadPart": self._part,
            "s3.CompleteMultipartUpload": self._complete,
        }

    def install(self) -> None:
        """Answer all calls of botocore, and refuse connections to other machines."""
        import botocore.client
        import botocore.exceptions

        error = botocore.exceptions.ClientError

        def call(client: Any, operation: str, request: dict[str, Any]) -> dict[str, Any]:
            service = client.meta.service_model.service_name
            name = f"{service}.{operation}"
            if name == "s3.HeadObject" and request["Key"] not in self.uploads:
                raise error({"Error": {"Code": "404", "Message": "Not Found"}}, operation)
            if name not in self._answers:
                raise self._refuse_call(f"calls {service}:{operation}, and a synth has no AWS")
            bucket = request.get("Bucket", self._bucket)
            if service == "s3" and bucket != self._bucket:
                raise self._refuse_call(
                    f"calls s3:{operation} on the bucket {bucket}, and a synth has no AWS; code is uploaded to default_bucket"
                )
            return self._answers[name](request) | {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}}

        def connect(_: Any, address: Any) -> None:
            host = address[0] if isinstance(address, tuple) else address
            raise self._refuse(f"opens a connection to {host}, and a synth has no network")

        def resolve(host: Any, *_: Any, **__: Any) -> Any:
            raise self._refuse(f"opens a connection to {host}, and a synth has no network")

        setattr(botocore.client.BaseClient, "_make_api_call", call)  # noqa: B010
        setattr(socket.socket, "connect", connect)  # noqa: B010 (a type checker knows another signature)
        setattr(socket.socket, "connect_ex", connect)  # noqa: B010
        setattr(socket, "getaddrinfo", resolve)  # noqa: B010

    def _refuse(self, what: str) -> RefusedError:
        """The error of the first refusal; libraries may catch it, and go on."""
        refused = RefusedError(what)
        self.refused = self.refused or refused
        return refused

    def _refuse_call(self, what: str) -> RefusedError:
        refused = self._refuse(what)
        self.refused_call = self.refused_call or refused
        return refused

    def _put(self, request: dict[str, Any]) -> dict[str, Any]:
        self.uploads[request["Key"]] = _bytes(request.get("Body", b""))
        return {"ETag": '"synth"'}

    def _head(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"ContentLength": len(self.uploads[request["Key"]]), "LastModified": TIME, "ETag": '"synth"'}

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        keys = [key for key in sorted(self.uploads) if key.startswith(request.get("Prefix", ""))]
        return {
            "Contents": [{"Key": key, "Size": len(self.uploads[key]), "LastModified": TIME} for key in keys],
            "IsTruncated": False,
            "KeyCount": len(keys),
        }

    def _begin(self, request: dict[str, Any]) -> dict[str, Any]:
        self._parts[request["Key"]] = {}
        return {"UploadId": request["Key"]}

    def _part(self, request: dict[str, Any]) -> dict[str, Any]:
        self._parts[request["Key"]][request["PartNumber"]] = _bytes(request["Body"])
        return {"ETag": '"synth"'}

    def _complete(self, request: dict[str, Any]) -> dict[str, Any]:
        parts = self._parts.pop(request["Key"])
        self.uploads[request["Key"]] = b"".join(parts[number] for number in sorted(parts))
        return {"ETag": '"synth"'}


def _allowed(request: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"EvalActionName": name, "EvalDecision": "allowed"} for name in request.get("ActionNames", [])]


def _bytes(body: Any) -> bytes:
    content = body.read() if hasattr(body, "read") else body
    return content.encode() if isinstance(content, str) else bytes(content)
