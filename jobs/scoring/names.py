"""Where the predictions of an object go. It imports nothing, because commands find predictions with it, too."""

import hashlib
from dataclasses import dataclass

INBOX, REQUESTS = "scoring/", "scoring-requests/"
PREDICTIONS = "predictions"
FORMATS = {".parquet": "parquet", ".csv": "csv", ".csv.gz": "csv", ".jsonl": "jsonl"}
"""How an object is read, by the ending of its name."""


@dataclass(frozen=True)
class Target:
    """The names of an object's predictions and of their lineage. `identity`: digest of the object's key and version id."""

    folder: str
    stem: str
    identity: str

    @property
    def prefix(self) -> str:
        """Key of the predictions, without the ending of their format."""
        return f"{self.folder}/{self.stem}"

    @property
    def lineage_key(self) -> str:
        """Key of their lineage, in a folder that readers of tables leave out."""
        return f"{self.folder}/_lineage/{self.stem}.json"

    def captured_prefix(self, model: str, endpoint: str) -> str:
        """Beginning of the keys of the object's rows for the monitor."""
        return f"{model}/captured/{endpoint}/batch/{self.identity}-"


def request_predictions(model: str, version: int) -> str:
    """Folder of a version's predictions of the files that people asked for."""
    # Names that begin with _ are no data to Spark, Hive and Athena: a request is no part of the model's table.
    return f"{model}/{PREDICTIONS}/_requests/version={version}"


def target(model: str, key: str, version_id: str, version: int) -> Target:
    """Where the predictions of a version of an object go.

    `key`: of the object, below the model's folder. `version`: the version that scores; it matters for a person's request alone.
    """
    path = key.removeprefix(f"{model}/")
    is_request = path.startswith(REQUESTS)
    above, _, name = path.removeprefix(INBOX).removeprefix(REQUESTS).rpartition("/")
    identity = hashlib.sha256(f"{key}\0{version_id}".encode()).hexdigest()[:16]
    table = request_predictions(model, version) if is_request else f"{model}/{PREDICTIONS}"
    folder = f"{table}/{above}" if above else table
    return Target(folder, f"{name.partition('.')[0]}-{identity}", identity)
