"""Objects are written as S3 writes them: conditionally, by one writer at a time, and with the checksum of each copied part.

Sources: S3 API reference, CopyObject (`If-None-Match`) and CopyPartResult (a part has the checksum of the upload's algorithm);
S3 user guide, 'Conditional writes': of several conditional writes of one key the first to finish succeeds.
"""

import re
import threading
from types import ModuleType
from typing import Any

from .interfaces import EmbeddedAws

_ALGORITHM = "x-amz-checksum-algorithm"


def install(local: EmbeddedAws) -> None:
    """Replace moto's three operations."""
    local.when_imported("moto.s3.responses", lambda module: _replace(local, module))


def _replace(local: EmbeddedAws, module: ModuleType) -> None:
    put, copy, copy_part = (
        getattr(module.S3Response, name) for name in ("put_object", "copy_object", "upload_part_copy")
    )
    conditional = threading.RLock()

    def put_once(self: Any) -> Any:
        if "If-None-Match" not in self.headers:
            return put(self)
        with conditional:  # moto looks for the object first and puts it later
            return put(self)

    def copy_once(self: Any) -> Any:
        if self.headers.get("If-None-Match") != "*":
            return copy(self)
        with conditional:
            if self.backend.get_object(self.bucket_name, self.parse_key_name()) is not None:
                raise module.PreconditionFailed("If-None-Match")
            return copy(self)

    def copy_part_with_checksum(self: Any) -> Any:
        status, headers, body = copy_part(self)
        upload = self.backend.get_bucket(self.bucket_name).multiparts.get(self._get_param("uploadId"))
        algorithm = upload.metadata.get(_ALGORITHM) if upload else None
        if algorithm and status == 200:
            value = upload.parts[self._get_int_param("partNumber")].value
            checksum = module.compute_checksum(value, algorithm=algorithm)
            text = checksum.decode() if isinstance(checksum, bytes) else checksum
            member = f"<Checksum{algorithm}>{text}</Checksum{algorithm}></CopyPartResult>"
            body = re.sub("</CopyPartResult>$", member, body)
            headers["content-length"] = str(len(body))
        return status, headers, body

    local.replace(module.S3Response, "put_object", put_once)
    local.replace(module.S3Response, "copy_object", copy_once)
    local.replace(module.S3Response, "upload_part_copy", copy_part_with_checksum)
