"""References to versions on the command line: `employment` for what is live, `employment@7` for version 7."""

import re
from dataclasses import dataclass

from botocore.exceptions import ClientError

from .project import EnvironmentSession, Project, UsageError

_REFERENCE = re.compile(r"^(?P<model>[^@]+)(@v?(?P<version>\d+))?$")


@dataclass(frozen=True)
class Reference:
    """A model, and a version of it; None: the version that is live."""

    model: str
    version: int | None


def parse_reference(project: Project, text: str, session: EnvironmentSession | None = None) -> Reference:
    """The reference that `text` is.

    `session`: an environment whose records may have models that the repository no longer has. Default: only those of the
    repository. Raises UsageError for an unknown model, with the nearest name.
    """
    found = _REFERENCE.match(text)
    if found is None:
        raise UsageError(f"{text!r} is no version of a model; write MODEL for what is live, or MODEL@7 for version 7")
    if session:
        known_model(session, found["model"])
    else:
        project.model(found["model"])
    version = int(found["version"]) if found["version"] else None
    if version == 0:
        raise UsageError(
            f"{text!r} is no version: the first version of a model is 1; write {found['model']} for what is live"
        )
    return Reference(found["model"], version)


def known_model(session: EnvironmentSession, name: str) -> None:
    """Check that the repository has the model, or the environment has records of it.

    Raises UsageError with the nearest name of the repository.
    """
    from .records.audit import models_of
    from .records.objects import S3Objects

    if name in session.project.models:
        return
    try:
        recorded = models_of(S3Objects(session, session.names.bucket("records")))
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        recorded = []
    if not name or name not in recorded:
        session.project.model(name)
