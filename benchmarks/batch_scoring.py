"""Rows a second and processor that the job score predicts, against plain pandas with the same model in the same run.

`python -m benchmarks.batch_scoring [rows]`: census rows (default 400,000) in one Parquet file. Both read the file, compute the
features of models/employment, predict and write Parquet; plain is one process with one thread, ours one worker process. The
start of Python, and that of the worker with its model, are measured apart: a job has them once.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

# Before numpy is imported: one processor for both.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from jobs import train
from jobs.columns import canonical
from jobs.payload import columns_of
from jobs.project import load
from jobs.scoring import rows as batches
from jobs.scoring import workers
from jobs.scoring.version import Artifact
from model_factory.config import load_model

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "models" / "employment"


def make_artifact(folder: Path) -> tuple[Artifact, pd.DataFrame]:
    """An artifact of the example, trained on 2015, and the rows of all years."""
    config = load_model(EXAMPLE)
    shutil.copytree(ROOT / "jobs", folder / "code/jobs")
    shutil.copytree(EXAMPLE, folder / "code/project", ignore=shutil.ignore_patterns("data"))
    (folder / "code/project/settings.json").write_text(json.dumps(config.settings()))
    project = load(folder / "code")
    tables = [pd.read_parquet(path) for path in sorted((EXAMPLE / "data").glob("*.parquet"))]
    label = config.data.label
    described = [{"name": name, **each} for name, each in config.settings()["data"]["schema"].items() if name != label]
    first = tables[0]
    typed, _ = canonical(first, columns_of(described))
    features = project.features(typed).assign(**{label: first[label].to_numpy()})
    split = int(0.8 * len(features))
    model = project.train(features[:split], features[split:], dict(config.training.hyperparameters))
    target = folder / "model"
    train.copy_code(target / "code", folder / "code")
    serving = {"columns": described, "classes": [0, 1], "label": label, "problem": config.problem}
    (target / "serving.json").write_text(json.dumps(serving))
    joblib.dump(model, target / "model.joblib")
    return Artifact(target, serving), pd.concat(tables, ignore_index=True)


def plain(artifact: Artifact, source: Path, target: Path) -> np.ndarray:
    """What a notebook does: read all, features, predict, write."""
    project = load(artifact.folder.parent / "code")
    model = joblib.load(artifact.folder / "model.joblib")
    raw, _ = canonical(pd.read_parquet(source), columns_of(artifact.serving["columns"]))
    scores = project.predict(model, project.features(raw))
    pd.DataFrame({"prediction": scores}).to_parquet(target)
    return scores


def ours(artifact: Artifact, source: Path, target: Path, running: workers.Workers) -> np.ndarray:
    """What the job does with an object, without S3."""
    file, scores, first = pq.ParquetFile(source), [], 0
    for batch in file.iter_batches(batches.BATCH_ROWS):
        table = pa.Table.from_batches([batch]).select(artifact.columns)
        scores.append(running.score(table, first))
        first += len(table)
    pq.write_table(pa.table({"prediction": np.concatenate(scores)}), target, compression="zstd")
    return np.concatenate(scores)


def main(number: int) -> None:
    """Print both rates and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        artifact, data = make_artifact(Path(folder))
        source = Path(folder, "rows.parquet")
        data.sample(number, replace=True, random_state=0).to_parquet(source, index=False)
        seconds: dict[str, float] = {}
        with workers.started(artifact, 1) as running:
            began = time.perf_counter()
            running.score(pq.read_table(source).slice(0, 1).select(artifact.columns), 0)
            seconds["start"] = time.perf_counter() - began
            for name in ("plain", "ours", "plain", "ours"):
                began = time.perf_counter()
                target = Path(folder, "out.parquet")
                found = plain(artifact, source, target) if name == "plain" else ours(artifact, source, target, running)
                taken = time.perf_counter() - began
                seconds[name] = min(taken, seconds.get(name, taken))
                seconds[f"{name} sum"] = float(found.sum())
        if not np.isclose(seconds["plain sum"], seconds["ours sum"]):
            raise SystemExit("both must predict the same")
        print(f"start of a worker  {seconds['start']:8.2f} s")
        for name in ("plain", "ours"):
            print(f"{name:<18} {number / seconds[name]:10,.0f} rows/s and processor")
        print(f"ours / plain       {seconds['plain'] / seconds['ours']:10.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400_000)
