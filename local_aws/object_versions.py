"""ListObjectVersions in a time that depends on the versions below the prefix: moto copies all of the bucket, with contents.

A bucket with the records of a hundred models has 200,000 objects, and the versions of one of them are asked for.
"""

from types import ModuleType, SimpleNamespace
from typing import Any

from .interfaces import EmbeddedAws


def install(local: EmbeddedAws) -> None:
    """Replace moto's operation."""
    local.when_imported("moto.s3.models", lambda module: _replace(local, module))


def _replace(local: EmbeddedAws, module: ModuleType) -> None:
    list_versions = module.S3Backend.list_object_versions

    def below_prefix(self: Any, bucket_name: str, *arguments: Any, prefix: str = "", **more: Any) -> Any:
        keys = self.get_bucket(bucket_name).keys
        found = [(key, _Uncopied(versions)) for key, versions in list(keys.iterlists()) if key.startswith(prefix)]
        # Moto's method reads nothing else of the backend and of the bucket.
        bucket = SimpleNamespace(keys=SimpleNamespace(iterlists=lambda: found))
        backend = SimpleNamespace(get_bucket=lambda _: bucket)
        return list_versions(backend, bucket_name, *arguments, prefix=prefix, **more)

    local.replace(module.S3Backend, "list_object_versions", below_prefix)


class _Uncopied(list[Any]):
    """Versions of an object that are not copied: moto only sets `is_latest` of them, to what it is."""

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return list(self)
