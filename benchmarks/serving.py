"""Requests a second of a model's endpoint, relative to hand-written handlers of the same model: `make bench-serving`.

`python -m benchmarks.serving [seconds]`. All are served by AWS's toolkit with two worker processes and one OpenMP thread, in
turns of `seconds` (default 4), three turns each; the ratios are of the medians. Exit code 1 when an aim is missed:

- one row of 16 columns: 0.9 of the rate of the handler that gives features(raw) a DataFrame with the column types of model.yaml,
  and half of the rate of the handler that gives numpy to the estimator;
- 10,000 rows as CSV: the rate of the DataFrame handler;
- the endpoint of the embedded AWS: half of the rate of ours under AWS's toolkit.
"""

import http.client
import json
import statistics
import sys
import tarfile
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pandas as pd

from tools import model_servers
from tools.example_artifact import EMPLOYMENT, PERIOD, example_artifact

TURNS, CLIENTS, WORKERS = 3, 2, 2
MANY = 10_000
DATA_FRAME = """
import io, json, os
import joblib, pandas as pd
from project import model

def model_fn(folder):
    columns = json.load(open(os.path.join(folder, "serving.json")))["columns"]
    return joblib.load(os.path.join(folder, "model.joblib")), columns

def transform_fn(loaded, body, content_type, accept):
    estimator, columns = loaded
    names = [each["name"] for each in columns]
    types = {each["name"]: "int64" if each["type"] == "integer" else str for each in columns}
    raw = pd.read_csv(io.StringIO(body), header=None, names=names, dtype=types, na_filter=False)
    scores = model.predict(estimator, model.features(raw))
    return "\\n".join(map(repr, scores.tolist())) + "\\n", "text/csv"
"""
NUMPY = """
import io, os
import joblib, numpy as np

def model_fn(folder):
    return joblib.load(os.path.join(folder, "model.joblib"))

def transform_fn(estimator, body, content_type, accept):
    rows = np.loadtxt(io.StringIO(body), delimiter=",", ndmin=2)
    scores = estimator.predict_proba(rows)[:, 1]
    return "\\n".join(map(repr, scores.tolist())) + "\\n", "text/csv"
"""


def with_handler(archive: Path, code: str, target: Path) -> Path:
    """The artifact with another code/serve.py."""
    folder = target.with_suffix("")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    (folder / "code" / "serve.py").write_text(code)
    with tarfile.open(target, "w:gz") as tar:
        tar.add(folder, ".")
    return target


def rate(port: int, body: bytes, seconds: float) -> float:
    """Requests a second of CLIENTS clients, each with one connection."""
    counts, until = [0] * CLIENTS, time.monotonic() + seconds
    headers = {"Content-Type": "text/csv", "Accept": "text/csv"}

    def send(client: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.monotonic() < until:
            connection.request("POST", "/invocations", body, headers)
            response = connection.getresponse()
            answer = response.read()
            if response.status != 200:
                raise RuntimeError(f"status {response.status}: {answer[:200]!r}")
            counts[client] += 1
        connection.close()

    began = time.monotonic()
    threads = [threading.Thread(target=send, args=(index,)) for index in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - began)


def main() -> int:
    """Print rates and ratios; 1 when an aim is missed."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    rows = pd.read_parquet(PERIOD).drop(columns="employed").head(MANY)
    bodies = {"one row": rows.head(1), f"{MANY:,} rows": rows}
    sent = {name: table.to_csv(index=False, header=False).encode() for name, table in bodies.items()}
    with tempfile.TemporaryDirectory(prefix="bench-serving-") as folder, ExitStack() as stack:
        root = Path(folder)
        print(f"training {EMPLOYMENT.name}", flush=True)
        archive = example_artifact(root / "artifact")
        archives = {
            "ours": archive,
            "DataFrame": with_handler(archive, DATA_FRAME, root / "frame.tar.gz"),
            "numpy": with_handler(archive, NUMPY, root / "numpy.tar.gz"),
        }
        environment = model_servers.SERVING_ENVIRONMENT | {"OMP_NUM_THREADS": "1"}
        ports = {
            name: stack.enter_context(
                model_servers.toolkit(path, root / f"server-{name}", environment, workers=WORKERS)
            ).port
            for name, path in archives.items()
        }
        ports["embedded AWS"] = stack.enter_context(
            model_servers.embedded(archive, root / "server-embedded", environment)
        ).port
        measured = {name: _measure(ports, body, seconds, name) for name, body in sent.items()}
    return _judge(measured["one row"], measured[f"{MANY:,} rows"])


def _measure(ports: dict[str, int], body: bytes, seconds: float, what: str) -> dict[str, float]:
    for port in ports.values():  # each worker loads its model at its first request
        rate(port, body, 2)
    turns = [{name: rate(port, body, seconds) for name, port in ports.items()} for _ in range(TURNS)]
    medians = {name: statistics.median(turn[name] for turn in turns) for name in ports}
    print(f"{what:<12} " + "  ".join(f"{name} {value:,.1f}/s" for name, value in medians.items()), flush=True)
    return medians


def _judge(one: dict[str, float], many: dict[str, float]) -> int:
    aims = [
        ("one row, ours to the DataFrame handler", one["ours"] / one["DataFrame"], 0.9),
        ("one row, ours to the numpy handler", one["ours"] / one["numpy"], 0.5),
        (f"{MANY:,} rows, ours to the DataFrame handler", many["ours"] / many["DataFrame"], 1.0),
        ("one row, embedded AWS to AWS's toolkit", one["embedded AWS"] / one["ours"], 0.5),
    ]
    for what, ratio, aim in aims:
        print(f"{what}: {ratio:.2f} (aim {aim}) {'ok' if ratio >= aim else 'MISSED'}")
    print(json.dumps({what: round(ratio, 3) for what, ratio, _ in aims}))
    return int(any(ratio < aim for _, ratio, aim in aims))


if __name__ == "__main__":
    sys.exit(main())
