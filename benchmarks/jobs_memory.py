"""Peak memory of Prepare with ten times the rows, which must not grow, for CSV and for parquet.

`python -m benchmarks.jobs_memory [rows]`: the number of rows (default 200,000) and ten times as many; each run of Prepare is a
process, with the data in moto's server. Exit code 1 when the second run needs more than 1.25 times the memory of the first.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import requests
from moto.server import ThreadedMotoServer

from model_factory.config import ModelConfig

from .jobs_speed import Bench, Cost

MAX_RATIO = 1.25
MODEL = """
def features(raw):
    return raw.assign(double=raw["x"] * 2)

def train(train, validation, hyperparameters): ...

def predict(model, features): ...
"""


def records(rows: int) -> pd.DataFrame:
    """Generated records: numbers, a code with leading zeros, and a text column with many values."""
    rng = np.random.default_rng(0)
    code = pd.Series(rng.integers(0, 1000, rows)).map("{:04d}".format)
    text = pd.Series(rng.integers(0, 1_000_000, rows)).map("customer {}".format)
    x = rng.normal(size=rows)
    return pd.DataFrame({"x": x, "y": rng.random(rows), "code": code, "text": text, "sold": (x > 0) * 1})


def prepare(folder: Path, endpoint: str, rows: int, data_format: str) -> Cost:
    """Time and memory of Prepare for one object with `rows` rows."""
    schema = {"code": {"type": "string"}, "text": {"type": "string"}}
    config = ModelConfig.model_validate(
        {
            "name": "employment",
            "problem": "binary_classification",
            "data": {"label": "sold", "format": data_format, "schema": schema},
            "gate": {"metric": "auc", "minimum": 0.5},
        }
    )
    project = folder / "project"
    project.mkdir(parents=True)
    (project / "model.py").write_text(MODEL)
    bench = Bench(folder, endpoint, config, project)
    path = folder / f"part.{data_format}"
    table = records(rows)
    table.to_csv(path, index=False) if data_format == "csv" else table.to_parquet(path, index=False)
    bench.upload(path, "2026-11-23")
    return bench.job("prepare")


def main(rows: int) -> int:
    """Print the table; returns 1 when memory grows."""
    grew = False
    for data_format in ("csv", "parquet"):
        costs = []
        for size in (rows, 10 * rows):
            server = ThreadedMotoServer(port=0, verbose=False)
            server.start()
            endpoint = f"http://localhost:{server.get_host_and_port()[1]}"
            try:
                requests.post(f"{endpoint}/moto-api/reset", timeout=60)  # removes the data of the previous run
                with tempfile.TemporaryDirectory() as temporary:
                    costs.append(prepare(Path(temporary), endpoint, size, data_format))
            finally:
                server.stop()
            print(costs[-1].line(f"{data_format} {size:,}"), flush=True)
        ratio = costs[1].peak_bytes / costs[0].peak_bytes
        grew |= ratio > MAX_RATIO
        print(f"{data_format}: {ratio:.2f} times the memory for 10 times the rows (at most {MAX_RATIO})", flush=True)
    return int(grew)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000))
