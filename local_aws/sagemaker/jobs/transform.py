"""Batch transform: a model's container is invoked for every object below a prefix; responses are written as `<object>.out`."""

from collections.abc import Iterator

from ...json_api import Record
from ...kept import forget
from ...s3 import encryption_arguments, split_uri
from ..hosting.fleet import Fleet, FleetError
from ..service import Service
from ..state import State, find, subnets
from ..storage import Storage
from .job import JobError

DEFAULT_PAYLOAD_MB = 6


class TransformJob:
    """One transform job: its model's container and the S3 of the model's role."""

    __reduce__ = forget
    timed_out = False  # CreateTransformJob has no stopping condition

    def __init__(self, service: Service, state: State, record: Record, kind: str) -> None:
        self._service, self._state, self.record = service, state, record
        self.name, self.stopped = record[f"{kind}JobName"], False
        self._model = find(state.models, record["ModelName"], "model")
        role = self._model["ExecutionRoleArn"]
        self._client = service.local.accounts.role_client("s3", role, state.region, subnets(self._model))
        self.s3 = Storage(self._client)
        self._fleet: Fleet | None = None

    def run(self) -> tuple[str, str]:
        """Transform every input; (status, failure reason). Raises JobError."""
        given, wanted = self.record["TransformInput"], self.record["TransformOutput"]
        _check(self.record)
        try:
            self._fleet = Fleet(self._service, self._state, self.name, self._model, _variables(self.record))
        except FleetError as error:
            raise JobError(f"ClientError: {error}") from error
        try:
            bucket, prefix = split_uri(given["DataSource"]["S3DataSource"]["S3Uri"])
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            keys = [
                entry["Key"] for page in pages for entry in page.get("Contents", []) if not entry["Key"].endswith("/")
            ]
            if not keys:
                raise JobError(f"ClientError: no S3 objects found under s3://{bucket}/{prefix}")
            for key in keys:
                if self.stopped:
                    return "Stopped", ""
                body = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
                self._write(
                    wanted,
                    key[len(prefix) :].lstrip("/") or key.rsplit("/", 1)[-1],
                    self._answer(self._fleet, key, body),
                )
        finally:
            self.kill()
        return ("Stopped", "") if self.stopped else ("Completed", "")

    def _answer(self, fleet: Fleet, key: str, body: bytes) -> bytes:
        given, wanted = self.record["TransformInput"], self.record["TransformOutput"]
        answers = []
        for part in parts(body, self.record):
            answer = fleet.invoke(part, given.get("ContentType", ""), wanted.get("Accept", ""))
            if not 0 < answer.status < 400 and not self.stopped:
                message = answer.body.decode(errors="replace")[:500]
                raise JobError(f"AlgorithmError: the model answered {answer.status} for {key}: {message}")
            answers.append(answer.body)
        if wanted.get("AssembleWith") == "Line":
            return b"".join(answer.rstrip(b"\n") + b"\n" for answer in answers)
        return b"".join(answers)

    def _write(self, wanted: Record, name: str, content: bytes) -> None:
        bucket, prefix = split_uri(wanted["S3OutputPath"])
        encryption = encryption_arguments(wanted.get("KmsKeyId"))
        self._client.put_object(Bucket=bucket, Key=f"{prefix.rstrip('/')}/{name}.out", Body=content, **encryption)

    def stop(self) -> None:
        """What StopTransformJob does."""
        self.stopped = True
        self.kill()

    def kill(self) -> None:
        """End the container."""
        if self._fleet:
            self._fleet.close()


def _variables(record: Record) -> dict[str, str]:
    """The container's variables. Source: developer guide, "Custom Inference Code with Batch Transform"."""
    settings = {
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": record.get("MaxPayloadInMB"),
        "SAGEMAKER_BATCH_STRATEGY": {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}.get(
            record.get("BatchStrategy", "")
        ),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": record.get("MaxConcurrentTransforms"),
    }
    given = {name: str(value) for name, value in settings.items() if value is not None}
    return record.get("Environment", {}) | {"SAGEMAKER_BATCH": "true"} | given


def _check(record: Record) -> None:
    given, processing = record["TransformInput"], record.get("DataProcessing", {})
    unsupported = {
        f"SplitType {given.get('SplitType')}": given.get("SplitType", "None") not in ("None", "Line"),
        f"CompressionType {given.get('CompressionType')}": given.get("CompressionType", "None") != "None",
        "S3DataType ManifestFile": given["DataSource"]["S3DataSource"]["S3DataType"] != "S3Prefix",
        "DataProcessing": processing.get("JoinSource", "None") != "None"
        or {"InputFilter", "OutputFilter"} & {*processing},
    }
    if named := [name for name, found in unsupported.items() if found]:
        raise JobError(f"ClientError: the embedded AWS does not support {', '.join(named)} in transform jobs")


def parts(body: bytes, record: Record) -> Iterator[bytes]:
    """The requests that an object becomes: itself, its lines, or as many lines as fit into MaxPayloadInMB."""
    if record["TransformInput"].get("SplitType", "None") == "None":
        yield body
        return
    single = record.get("BatchStrategy", "MultiRecord") == "SingleRecord"
    limit = (record.get("MaxPayloadInMB") or DEFAULT_PAYLOAD_MB) * 2**20
    held: list[bytes] = []
    size = 0
    for line in body.splitlines(keepends=True):
        if held and (single or size + len(line) > limit):
            yield b"".join(held)
            held, size = [], 0
        held.append(line)
        size += len(line)
    if held:
        yield b"".join(held)
