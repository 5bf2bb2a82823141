"""Drift detection side by side with its peers on the same files: `make bench-drift`.

Throughput and peak memory over parquet (1,000,000 rows x 20 columns, 2 threads; --rows for another size), and what each
detector, as it comes, says of the example's census years and of one with the age in months. The last line is the multiple
of Evidently's throughput and memory; exit code 1 when it is below 100 times, or above a quarter.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from model_factory.config.model import Drift

ROOT = Path(__file__).parents[1]
PEERS = ("evidently", "nannyml", "scipy")
TIMES_FASTER, MEMORY_SHARE = 100, 0.25
RUNS = 3


def make_tables(folder: Path, rows: int) -> tuple[Path, Path]:
    """Reference and current: 14 continuous, 2 integer and 4 text columns, without drift."""
    paths = []
    for seed, name in enumerate(("reference", "current")):
        rng = np.random.default_rng(seed)
        columns: dict[str, Any] = {f"f{i}": rng.normal(size=rows) for i in range(14)}
        columns |= {f"n{i}": rng.integers(0, 1000, rows) for i in range(2)}
        words = np.array(["red", "green", "blue", "black", "white"])
        columns |= {f"c{i}": words[rng.integers(0, 5, rows)] for i in range(4)}
        paths.append(folder / f"{name}.parquet")
        pq.write_table(pa.table(columns), paths[-1], row_group_size=131_072)
    return paths[0], paths[1]


def ours(reference: Path, current: Path, folder: Path, runs: int = RUNS) -> dict[str, Any]:
    """The fastest run of ours."""
    profile = folder / f"{reference.stem}.json"
    if not profile.exists():
        _python(sys.executable, "-m", "benchmarks.drift_ours", "--build", reference, profile)
    limits = json.dumps(Drift().model_dump())
    made = [_python(sys.executable, "-m", "benchmarks.drift_ours", profile, current, limits) for _ in range(runs)]
    return min((json.loads(each) for each in made), key=lambda each: each["seconds"])


def peer(name: str, python: str, reference: Path, current: Path) -> dict[str, Any] | None:
    """One run of a peer; None when it fails."""
    try:
        return json.loads(
            _python(python, ROOT / "benchmarks/drift_peers.py", name, reference, current).splitlines()[-1]
        )
    except subprocess.CalledProcessError as error:
        print(f"{name} failed: {error.stderr.strip().splitlines()[-1:]}", flush=True)
        return None


def _python(*arguments: str | Path) -> str:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'constructs'}", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [str(each) for each in arguments], check=True, capture_output=True, text=True, cwd=ROOT, env=environment
    )
    return done.stdout


def years(folder: Path) -> list[tuple[str, Path]]:
    """The example's years, and the last one with the age in months."""
    made = []
    for year in (2015, 2016, 2017, 2018):
        table = pd.read_parquet(ROOT / f"models/employment/data/{year}.parquet").drop(columns="employed")
        table = table.astype({name: "string" for name in table if name != "AGEP"}).astype({"AGEP": "float64"})
        made.append((str(year), table))
    made.append(("2018, age in months", made[-1][1].assign(AGEP=lambda rows: rows["AGEP"] * 12)))
    paths = []
    for name, table in made:
        paths.append((name, folder / f"{name.replace(', ', '-').replace(' ', '-')}.parquet"))
        table.astype({c: object for c in table if c != "AGEP"}).to_parquet(paths[-1][1], index=False)
    return paths


def main() -> int:
    """Print the tables; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", required=True, help="Python of the environment of requirements-drift-peers.txt")
    parser.add_argument("--rows", type=int, default=1_000_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        reference, current = make_tables(folder, chosen.rows)
        measured = {"ours": ours(reference, current, folder)}
        measured |= {n: found for n in PEERS if (found := peer(n, chosen.peers, reference, current))}
        print(f"{'':10} {'rows/s':>12} {'seconds':>9} {'peak MB':>8} {'import s':>8}  drifted (none did)")
        for name, each in measured.items():
            rate = chosen.rows / each["seconds"]
            print(
                f"{name:10} {rate:>12,.0f} {each['seconds']:>9.2f} {each['peak_mb']:>8,.0f} {each['import']:>8.2f}  "
                f"{', '.join(each['drifted']) or '-'}"
            )
        mine = measured["ours"]
        print(
            f"ours takes {mine['seconds'] / mine['reading']:.2f} times merely reading the file; "
            f"of processor time {mine['cpu'] / mine['reading_cpu']:.2f} times ({mine['cpu']:.2f} s)\n",
            flush=True,
        )
        (_, first), *following = years(folder)
        print("census years against 2015")
        for year, path in following:
            for name in ("ours", *(n for n in PEERS if n in measured)):
                found = ours(first, path, folder, 1) if name == "ours" else peer(name, chosen.peers, first, path)
                print(f"{year:20} {name:10} {', '.join(found['drifted']) or '-' if found else 'failed'}", flush=True)
    if "evidently" not in measured:
        print("Evidently did not run: nothing to compare with")
        return 1
    times = measured["evidently"]["seconds"] / measured["ours"]["seconds"]
    memory = measured["ours"]["peak_mb"] / measured["evidently"]["peak_mb"]
    print(
        f"{times:.0f} times Evidently's throughput, {memory:.2f} of its memory ({measured['ours']['peak_mb']:.0f} MB)"
    )
    return 0 if times >= TIMES_FASTER and memory <= MEMORY_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
