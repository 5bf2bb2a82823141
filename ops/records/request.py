"""What `model-factory audit` is asked for, and the report on it from the buckets of an environment."""

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.chain import ENVIRONMENT, KINDS

from ..project import EnvironmentSession, UsageError
from .audit import Report, Source, models_of, verify
from .chain import Entry, read_chain
from .heads import PublicKey
from .objects import S3Objects
from .schema import time_of
from .verification import ChainAudit

_AGE = re.compile(r"(\d+)([dh])")


@dataclass(frozen=True)
class Request:
    """What is to be listed and verified.

    Args:
        model: Name of the model, or `_environment`. Default (None): all.
        since: Older records are not read. Default: all are.
        kinds: Kinds of records to list; empty: all.
        version: Version of the model whose records are listed. Default: all.
        verify: Whether files, markers and signed heads are verified.
        public_key: File with the public key of the signed heads. Default: KMS gives it.
    """

    model: str | None = None
    since: datetime | None = None
    kinds: tuple[str, ...] = ()
    version: int | None = None
    verify: bool = True
    public_key: Path | None = None

    def lists(self, entry: Entry) -> bool:
        """Whether a record is listed."""
        record, time = entry.record, time_of(entry.record)
        return bool(
            record
            and (not self.kinds or record.get("kind") in self.kinds)
            and self.version in (None, record.get("version"))
            and (self.since is None or time is None or time >= self.since)
        )


def read_since(text: str, now: datetime) -> datetime:
    """The time in `7d`, `12h`, `2026-11-01` or `2026-11-01T03:00`; UTC without an offset. Raises UsageError."""
    if found := _AGE.fullmatch(text):
        return now - timedelta(**{"days" if found[2] == "d" else "hours": int(found[1])})
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--since {text!r} is no age such as 7d or 12h, and no date such as 2026-11-01") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def check_kinds(kinds: Sequence[str]) -> tuple[str, ...]:
    """The kinds. Raises UsageError for one that does not exist, with the nearest one."""
    for kind in kinds:
        if kind not in KINDS:
            near = difflib.get_close_matches(kind, KINDS, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise UsageError(f"there is no kind of record {kind!r}{hint}; there are: {', '.join(KINDS)}")
    return tuple(kinds)


def make_report(session: EnvironmentSession, request: Request, progress: Callable[[str, int], None]) -> Report:
    """Read and verify what is asked for. Raises UsageError, and ClientError when a permission is missing."""
    bucket = session.names.bucket("records")
    objects = S3Objects(session, bucket)
    try:
        models = [_known_model(session, objects, request.model)] if request.model else None
        if not request.verify:
            return _read(objects, models_of(objects) if models is None else models, request, progress)
        return verify(
            Source(objects, f"s3://{bucket}/"),
            _anchor(session),
            _public_key(session, request.public_key),
            place=(session.names.factory, session.names.environment),
            now=datetime.now(UTC),
            models=models,
            since=request.since,
            progress=progress,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            raise session.not_deployed(f"bucket {error.response['Error'].get('BucketName', bucket)}") from None
        raise


def _read(objects: S3Objects, models: Sequence[str], request: Request, progress: Callable[[str, int], None]) -> Report:
    """The chains, with what their records say of each other."""
    chains: list[ChainAudit] = []
    for model in models:
        entries = list(read_chain(objects, model, since=request.since))
        progress(model or ENVIRONMENT, len(entries))
        chains.append(ChainAudit.of(model, entries))
    return Report(chains, [], [])


def _known_model(session: EnvironmentSession, objects: S3Objects, name: str) -> str:
    """The name of a model of the repository, or of a folder in the bucket: of one that the repository no longer has."""
    if name == ENVIRONMENT:
        return ""
    if name not in session.project.models and name not in models_of(objects):
        session.project.model(name)  # raises UsageError with the nearest name
    return name


def _public_key(session: EnvironmentSession, file: Path | None) -> PublicKey | str:
    """The key in a file, by default KMS's; or why there is none. Raises UsageError."""
    if file is not None:
        try:
            return PublicKey(file.read_bytes(), str(file))
        except OSError as error:
            raise UsageError(f"--public-key {file}: {error.strerror}") from None
    alias = session.names.record_signing_alias
    try:
        answer: dict[str, Any] = session.client("kms").get_public_key(KeyId=alias)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        return f"KMS has no key {alias}; give --public-key with the file that was kept"
    return PublicKey(answer["PublicKey"], alias)


def _anchor(session: EnvironmentSession) -> Source | None:
    """The bucket with the copies of the heads in another account, read with the credentials of the environment."""
    names = session.project.factory.anchor_names
    if names is None:
        return None
    bucket = names.bucket("heads")
    objects = S3Objects(_InRegion(session, names.region), bucket)
    return Source(objects, f"s3://{bucket}/", f"{session.environment.name}/")


@dataclass(frozen=True)
class _InRegion:
    """Clients of the environment's account in another region."""

    session: EnvironmentSession
    region: str

    def client(self, service: str) -> Any:
        return self.session.boto_session.client(service, region_name=self.region)
