"""Data capture: an endpoint's requests and responses as JSON lines in S3, in SageMaker's format and layout."""

import base64
import json
import random
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from ...json_api import Record
from ...s3 import encryption_arguments, split_uri

FLUSH_RECORDS = 500
IDLE_SECONDS = 1.0


class Capture:
    """Captures one endpoint's traffic; written by `flush`, or when the buffer is full."""

    def __init__(self, s3: Any, endpoint: str, config: Record) -> None:
        self._s3, self._endpoint, self._config = s3, endpoint, config
        modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
        self._input = bool(modes & {"Input", "InputAndOutput"})
        self._output = bool(modes & {"Output", "InputAndOutput"})
        self._lock = threading.Lock()
        self._lines: dict[str, list[str]] = {}
        self._newest = 0.0

    def add(
        self,
        variant: str,
        given: tuple[bytes, str],
        answer: tuple[bytes, str],
        inference_id: str | None,
        custom_attributes: str = "",
    ) -> None:
        """Add one invocation if it is in the sample; `custom_attributes` are the request's, as in AWS's samples."""
        if random.uniform(0, 100) >= self._config["InitialSamplingPercentage"]:  # noqa: S311 (a sample)
            return
        data = {}
        if self._input:
            data["endpointInput"] = self._side(*given, "INPUT")
        if self._output:
            data["endpointOutput"] = self._side(*answer, "OUTPUT")
        meta: Record = {"eventId": str(uuid.uuid4())}
        if custom_attributes:
            meta["customAttributes"] = [custom_attributes]
        meta["inferenceTime"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if inference_id:
            meta["inferenceId"] = inference_id
        line = json.dumps({"captureData": data, "eventMetadata": meta, "eventVersion": "0"})
        with self._lock:
            lines = self._lines.setdefault(variant, [])
            lines.append(line)
            self._newest = time.monotonic()
            full = len(lines) >= FLUSH_RECORDS
        if full:
            self.flush()

    def _side(self, body: bytes, content_type: str, mode: str) -> Record:
        headers = self._config.get("CaptureContentTypeHeader", {})
        plain = content_type.split(";")[0].strip()
        if plain in headers.get("CsvContentTypes", []):
            data, encoding = body.decode(errors="replace"), "CSV"
        elif plain in headers.get("JsonContentTypes", []):
            data, encoding = body.decode(errors="replace"), "JSON"
        else:
            data, encoding = base64.b64encode(body).decode(), "BASE64"
        return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}

    def flush_idle(self) -> None:
        """Write the buffer if no request arrived recently."""
        if self._lines and time.monotonic() - self._newest >= IDLE_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write the buffer, one object for each variant."""
        with self._lock:
            lines, self._lines = self._lines, {}
        bucket, prefix = split_uri(self._config["DestinationS3Uri"])
        encryption = encryption_arguments(self._config.get("KmsKeyId"))
        for variant, each in lines.items():
            now = datetime.now(UTC)
            name = f"{now:%M-%S}-{now.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
            key = f"{prefix.rstrip('/')}/{self._endpoint}/{variant}/{now:%Y/%m/%d/%H}/{name}"
            body = "".join(line + "\n" for line in each).encode()
            self._s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/jsonlines", **encryption)

    def close(self, flush: bool = True) -> None:
        """Write the rest."""
        if flush:
            self.flush()
