"""What one run of the job score is given, and where it writes.

Objects below `<data>/<model>/scoring/` are scored once, by the version that is live then. Those below `scoring-requests/`
belong to one request of a person, and are scored once by each version that is asked for.
"""

import hashlib
import os
from dataclasses import dataclass
from typing import Any, Self

from .. import project, s3
from ..failures import JobFailure
from ..s3 import S3Object

INBOX, REQUESTS = "scoring/", "scoring-requests/"
PREDICTIONS = "predictions/"
ENDINGS = {"parquet": ".parquet", "csv": ".csv", "jsonl": ".jsonl"}


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

    def target(self, source: S3Object, version: int) -> "Target":
        """Where the predictions of an object go."""
        bucket, folder = s3.split(self.model_uri)
        path = source.key.removeprefix(f"{folder}/")
        path = path.removeprefix(INBOX).removeprefix(REQUESTS)
        above, _, name = path.rpartition("/")
        identity = hashlib.sha256(f"{source.key}\0{source.version_id}".encode()).hexdigest()[:16]
        # Names that begin with _ are no data to Spark, Hive and Athena: a request is no part of the model's table.
        places = [f"_requests/version={version}" if self.is_request else "", above]
        parts = [folder, PREDICTIONS.rstrip("/"), *filter(None, places)]
        ending = ENDINGS[self.options["format"]]
        return Target(bucket, "/".join(parts), f"{name.partition('.')[0]}-{identity}", ending, identity)


@dataclass(frozen=True)
class Target:
    """The names of an object's predictions and of their lineage. `identity`: digest of the object's key and version id."""

    bucket: str
    folder: str
    stem: str
    ending: str
    identity: str

    @property
    def key(self) -> str:
        """Key of the predictions."""
        return f"{self.folder}/{self.stem}{self.ending}"

    @property
    def lineage_key(self) -> str:
        """Key of their lineage, in a folder that readers of tables leave out."""
        return f"{self.folder}/_lineage/{self.stem}.json"
