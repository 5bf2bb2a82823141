"""A version's artifact on this machine: compared with its digest, unpacked, and scored by its own code in a process."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.chain import evidence_key
from model_factory.functions.shared.s3 import is_gone, split_uri

from ..project import EnvironmentSession, UsageError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ENTRY_POINT = "code/score.py"
"""The artifact's interface (docs/reference/contracts.md)."""
_TREE_PROCESS = Path(__file__).with_name("tree_process.py")


@dataclass(frozen=True)
class Artifact:
    """An unpacked model.tar.gz. `source`: where it was read; `verified`: whether its SHA-256 is the registered one."""

    folder: Path
    source: str
    digest: str
    verified: bool

    @property
    def serving(self) -> dict[str, Any]:
        """serving.json."""
        return json.loads((self.folder / "serving.json").read_text())

    def scores(self, rows: "pd.DataFrame", folder: Path) -> "np.ndarray":
        """Scores of raw rows by the artifact's own code, (rows,) or (rows x classes). Raises UsageError.

        The code runs in a process without the AWS variables of this one.
        """
        import numpy as np

        rows_folder, out = folder / "rows", folder / "scores.npy"
        rows_folder.mkdir(exist_ok=True)
        rows.to_parquet(rows_folder / "part-0.parquet", index=False)
        if not (self.folder / ENTRY_POINT).exists():
            raise UsageError(f"{self.source} has no {ENTRY_POINT}: it is of a release that cannot be scored again")
        done = _run(self.folder / ENTRY_POINT, self.folder, rows_folder, out)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise UsageError(f"the artifact's own code cannot score the request: {lines[-1]}")
        return np.load(out)

    def trees(self, rows: "pd.DataFrame", column: int | None, folder: Path) -> "dict[str, np.ndarray] | None":
        """The trees of the model, and which way raw rows go in them (tree_process.py); None when the model is no sum of trees.

        `column`: the class whose score it is, None where there is one score for each row. The artifact's code runs in a process.
        """
        import numpy as np

        rows_file, out = folder / "tree-rows.parquet", folder / "trees.npz"
        rows.to_parquet(rows_file, index=False)
        of_classes = bool(self.serving.get("classes"))
        chosen = column if column is not None else int(of_classes)  # one score of two classes is that of the second
        if _run(_TREE_PROCESS, self.folder, rows_file, chosen, out).returncode:
            return None
        with np.load(out) as arrays:
            return dict(arrays)


def _run(script: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a script in a process without the AWS variables of this one."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def fetch(session: EnvironmentSession, model: str, package: dict[str, Any], folder: Path) -> Artifact:
    """The artifact of a described model package: the file in the records bucket if it is there, else the registered object.

    Raises UsageError when it is gone, and when it is not the file that was evaluated: its code is not run then.
    """
    s3, registered = session.client("s3"), package.get("CustomerMetadataProperties", {}).get("artifact_digest")
    number, uri = package["ModelPackageVersion"], package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    sources = [split_uri(uri)]
    if registered:
        sources.insert(0, (session.names.bucket("records"), evidence_key(model, registered)))
    archive = folder / "model.tar.gz"
    source = next((f"s3://{bucket}/{key}" for bucket, key in sources if _download(s3, bucket, key, archive)), None)
    if source is None:
        raise UsageError(f"the artifact of version {number} is gone: {uri} does not exist")
    with archive.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    if registered not in (None, digest):
        raise UsageError(
            f"{source} is not the artifact that version {number} was evaluated with: its SHA-256 is {digest}, the version's "
            f"{registered}; its code was not run"
        )
    with tarfile.open(archive) as opened:
        opened.extractall(folder / "model", filter="data")
    return Artifact(folder / "model", source, digest, registered is not None)


def _download(s3: Any, bucket: str, key: str, target: Path) -> bool:
    """Download an object; whether it exists."""
    try:
        with target.open("wb") as file:
            s3.download_fileobj(bucket, key, file)
    except ClientError as error:
        if not is_gone(error):
            raise
        return False
    return True
