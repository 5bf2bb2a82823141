"""S3 copies as S3 makes them: If-None-Match of CopyObject, and the checksum of each part of a copy in parts.

Sources: S3 API reference, CopyObject (`If-None-Match`) and CopyPartResult (a part has the checksum of the upload's algorithm).
"""

import re
from types import ModuleType
from typing import Any

from .interfaces import EmbeddedAws

_ALGORITHM = "x-amz-checksum-algorithm"


def install(local: EmbeddedAws) -> None:
    """Replace moto's two operations."""
    local.when_imported("moto.s3.responses", lambda module: _replace(local, module))


def _replace(local: EmbeddedAws, module: ModuleType) -> None:
    copy, copy_part = module.S3Response.copy_object, module.S3Response.upload_part_copy

    def copy_once(self: Any) -> Any:
        exists = self.backend.get_object(self.bucket_name, self.parse_key_name()) is not None
        if self.headers.get("If-None-Match") == "*" and exists:
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

    local.replace(module.S3Response, "copy_object", copy_once)
    local.replace(module.S3Response, "upload_part_copy", copy_part_with_checksum)
