"""What one run of the job score is given, and where it writes.

Objects below `<data>/<model>/scoring/` are scored once, by the version that is live then. Those below `scoring-requests/`
belong to one request of a person, and are scored once by each version that is asked for.
"""

import os
from dataclasses import dataclass
from typing import Any, Self

from .. import project, s3
from ..failures import JobFailure
from ..s3 import S3Object
from .names import INBOX, REQUESTS, Target, target


@dataclass(frozen=True)
class Context:
    """`data_uri`: that of the objects, below the model's folder. `version`: the one that is asked for, None for the live one."""

    settings: dict[str, Any]
    data_uri: str
    model_uri: str
    report_uri: str
    environment: str = ""
    model_name: str = ""
    endpoint: str = ""
    model_package_group: str = ""
    execution: str = ""
    execution_id: str = ""
    version: int | None = None

    @classmethod
    def from_environment(cls) -> Self:
        """From project/settings.json and the environment variables of docs/reference/contracts.md. Raises JobFailure."""
        model_uri = os.environ["DATA_URI"]
        data_uri = os.environ.get("SCORING_DATA") or f"{model_uri}/{INBOX}"
        if not data_uri.startswith((f"{model_uri}/{INBOX}", f"{model_uri}/{REQUESTS}")):
            raise JobFailure(
                f"Data must be below {model_uri}/{INBOX} or {model_uri}/{REQUESTS}, not {data_uri}; "
                "`model-factory score` copies a file there"
            )
        version = os.environ.get("SCORING_VERSION", "")
        if version and not version.isdecimal():
            raise JobFailure(f"Version must be the number of a version, not {version!r}")
        execution_id = os.environ.get("PIPELINE_EXECUTION_ID", "") or "by-hand"
        return cls(
            project.load().settings,
            data_uri,
            model_uri,
            f"{os.environ['ARTIFACTS_URI']}/scoring/{execution_id}/report.json",
            os.environ["FACTORY_ENVIRONMENT"],
            os.environ["MODEL_NAME"],
            os.environ["ENDPOINT_NAME"],
            os.environ["MODEL_PACKAGE_GROUP"],
            os.environ.get("PIPELINE_EXECUTION_ARN", ""),
            execution_id,
            int(version) if version else None,
        )

    @property
    def options(self) -> dict[str, Any]:
        """`serving.batch` of the settings."""
        return self.settings["serving"]["batch"]

    @property
    def is_request(self) -> bool:
        """Whether the objects belong to a person's request. Such rows are not monitored: they need not be the model's traffic."""
        return self.data_uri.startswith(f"{self.model_uri}/{REQUESTS}")

    @property
    def ending(self) -> str:
        """Ending of the names of predictions."""
        return f".{self.options['format']}"

    def target(self, source: S3Object, version: int) -> Target:
        """Where the predictions of an object go."""
        return target(s3.split(self.model_uri)[1], source.key, source.version_id, version)

    @property
    def bucket(self) -> str:
        """The data bucket."""
        return s3.split(self.model_uri)[0]
