"""The jobs prepare, train and evaluate of the example model, as SageMaker starts them, in a folder instead of /opt/ml."""

import json
import os
import random
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from . import aws
from .check import NotMetError

ROWS = 600
_CHANNELS = {"train": "train", "validation": "validation", "schema": "baseline"}


class Trial:
    """One run of the jobs below `folder`, which has code.zip."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.code = folder / "code.zip"
        self.rows = _rows()

    @property
    def jobs(self) -> "tuple[tuple[str, Callable[[], str]], ...]":
        """The jobs in their order, by the name of the point."""
        return (
            ("job prepare", self.prepare),
            ("job train", self.train),
            ("job train, same bytes", self.train_again),
            ("job evaluate", self.evaluate),
        )

    def prepare(self) -> str:
        """Reads rows from S3."""
        return self._run("prepare", self.folder / "prepare")

    def train(self) -> str:
        """Fits the model and writes the artifact."""
        return self._train("train")

    def train_again(self) -> str:
        """A second training gives the same bytes, so that versions can be reproduced."""
        self._train("again")
        first, second = (_files(self.folder / name / "model") for name in ("train", "again"))
        if first != second:
            raise NotMetError(
                "a second training of the same rows gave other bytes, so that versions cannot be reproduced"
            )
        return f"{len(first)} files with the same bytes"

    def evaluate(self) -> str:
        """Loads the artifact and measures it."""
        root = self.folder / "evaluate"
        inputs = root / "processing" / "input"
        for name in ("report", "test"):
            shutil.copytree(self.folder / "prepare" / "processing" / "output" / name, inputs / name)
        (inputs / "model").mkdir()
        with tarfile.open(inputs / "model" / "model.tar.gz", "w:gz") as archive:
            archive.add(self.artifact, arcname=".")
        return self._run("evaluate", root)

    @property
    def artifact(self) -> Path:
        """The folder that SageMaker packs as model.tar.gz."""
        return self.folder / "train" / "model"

    def _train(self, name: str) -> str:
        root = self.folder / name
        for channel, output in _CHANNELS.items():
            shutil.copytree(
                self.folder / "prepare" / "processing" / "output" / output, root / "input" / "data" / channel
            )
        (root / "input" / "config").mkdir()
        (root / "input" / "config" / "hyperparameters.json").write_text("{}")
        return self._run("train", root)

    def _run(self, job: str, root: Path) -> str:
        root.mkdir(exist_ok=True)
        with aws.answering(self.rows.encode()) as url:
            variables = {
                "FACTORY_ML_ROOT": str(root),
                "DATA_URI": aws.DATA_URI,
                "MODEL_PACKAGE_GROUP": "example",
                "AWS_ENDPOINT_URL": url,
                "AWS_ACCESS_KEY_ID": "check",
                "AWS_SECRET_ACCESS_KEY": "check",
                "AWS_REGION": "eu-west-1",
                "AWS_DEFAULT_REGION": "eu-west-1",
            }
            command = ["python3", str(self.code), job]
            done = subprocess.run(
                command, env={**os.environ, **variables}, capture_output=True, text=True, errors="replace", check=False
            )
        if done.returncode:
            lines = (
                done.stderr.strip().splitlines() or done.stdout.strip().splitlines() or [f"exit code {done.returncode}"]
            )
            raise NotMetError("\n         ".join([lines[-1], *lines[-12:-1]]))
        return (done.stdout.strip().splitlines() or [""])[-1]


def _rows() -> str:
    """CSV whose label depends on x and on the colour."""
    numbers = random.Random(0)  # noqa: S311 (data, no secret)
    lines = ["x,colour,sold"]
    for _ in range(ROWS):
        x, colour = round(numbers.gauss(0, 1), 4), numbers.choice(["red", "green", "blue"])
        lines.append(f"{x},{colour},{int(x + (colour == 'red') + numbers.gauss(0, 0.5) > 0.5)}")
    return "\n".join(lines) + "\n"


def _files(folder: Path) -> "dict[str, bytes]":
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def expected_scores(trial: Trial, rows: "list[list[object]]") -> "list[float]":
    """What the artifact's own code says about rows: scores, by a process of its own without a server."""
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1] + '/code'); from serve import model_fn, transform_fn; "
        "print(transform_fn(model_fn(sys.argv[1]), sys.stdin.read(), 'text/csv', 'application/json').get_data(as_text=True))"
    )
    body = "".join(",".join(map(str, row)) + "\n" for row in rows)
    done = subprocess.run(
        ["python3", "-B", "-c", code, str(trial.artifact)], input=body, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotMetError(f"the artifact cannot score rows: {(done.stderr.strip().splitlines() or ['no output'])[-1]}")
    return json.loads(done.stdout)["predictions"]
