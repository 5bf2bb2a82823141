"""Drift detection compared with other libraries on the same files: `make bench-drift`.

1,000,000 rows x 20 columns from parquet and from CSV for all detectors (Evidently from parquet only), 10,000,000 for ours and for
reading without detection; --full: all sizes for all detectors. Then the drifted columns in the example's census years, with each
detector's default settings. Every measurement is a process; the result is the best of three to five runs, or one run if it takes
20 seconds. The last line has the multiple of Evidently's throughput and the peak memory; exit code 1 when a target is missed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import drift_tables
from model_factory.config.monitoring import Drift

ROOT = Path(__file__).parents[1]
PEERS = ("evidently", "nannyml", "whylogs", "scipy")
"""Ordered from slow to fast."""
READING = "reading"
TIMES_FASTER, MEMORY_SHARE, TIMES_READING, MOST_MB = 100, 0.25, 1.5, 500
RUNS, FEWEST_RUNS, RUNS_SECONDS = 5, 3, 20.0
QUIET = {
    "PYTHONWARNINGS": "ignore",
    "DO_NOT_TRACK": "1",
    "WHYLOGS_NO_ANALYTICS": "True",
    "NML_DISABLE_USAGE_LOGGING": "1",
}
STARTED = time.monotonic()


@dataclass
class Measured:
    """The lowest wall-clock and CPU time of several runs; `peak_mb`: the highest of all runs."""

    seconds: float
    cpu_seconds: float
    import_seconds: float
    peak_mb: float
    runs: int
    drifted: list[str] = field(default_factory=list)


def python(*arguments: str | Path) -> str:
    """Run a Python process; returns its output. Raises CalledProcessError."""
    environment = os.environ | QUIET | {"PYTHONPATH": f"{ROOT}:{ROOT / 'constructs'}"}
    completed = subprocess.run(
        [str(each) for each in arguments], check=True, capture_output=True, text=True, cwd=ROOT, env=environment
    )
    return completed.stdout


def ours(*arguments: str | Path) -> dict[str, Any]:
    """Run benchmarks.drift_ours once."""
    return json.loads(python(sys.executable, "-m", "benchmarks.drift_ours", *arguments))


def best(runs: list[Callable[[], dict[str, Any]]]) -> list[Measured]:
    """Measure several functions alternately, so that other load on the machine affects all of them."""
    results: list[list[dict[str, Any]]] = [[] for _ in runs]
    started = time.monotonic()
    enough = False
    while len(results[0]) < RUNS and not (enough and time.monotonic() - started > RUNS_SECONDS):
        for index, run in enumerate(runs):
            results[index].append(run())
        enough = len(results[0]) >= FEWEST_RUNS or max(one[0]["seconds"] for one in results) > RUNS_SECONDS
    return [
        Measured(
            min(each["seconds"] for each in one),
            min(each["cpu"] for each in one),
            min(each.get("import", 0.0) for each in one),
            max(each["peak_mb"] for each in one),
            len(one),
            one[0].get("drifted", []),
        )
        for one in results
    ]


class Bench:
    """All measurements."""

    def __init__(self, folder: Path, peers: str) -> None:
        self.folder, self._python = folder, peers
        self.failed: set[str] = set()

    def profile(self, reference: Path) -> Path:
        """Path of the reference profile of a file; it is built once."""
        target = self.folder / f"{reference.stem}.json"
        if not target.exists():
            ours("build", reference, target)
        return target

    def check(self, reference: Path, current: Path) -> dict[str, Any]:
        """Run our detector once."""
        return ours("check", self.profile(reference), current, json.dumps(Drift().model_dump()))

    def peer(self, name: str, reference: Path, *currents: Path) -> list[dict[str, Any]]:
        """Run another detector once on these files. Raises CalledProcessError."""
        printed = python(self._python, ROOT / "benchmarks/drift_peers.py", name, reference, *currents)
        return [json.loads(line) for line in printed.splitlines()[-len(currents) :]]

    def size(self, current: Path, reference: Path, rows: int, peers: list[str]) -> dict[str, Measured]:
        """Measure all detectors on one file and print a line for each."""
        mine, table, batches = best(
            [
                lambda: self.check(reference, current),
                lambda: ours("read", current, "table"),
                lambda: ours("read", current, "batches"),
            ]
        )
        found = {"ours": mine, READING: min(table, batches, key=lambda each: each.seconds)}
        for name in ("ours", READING):
            self._line(name, current, rows, found[name])
        for name in peers:
            try:
                (found[name],) = best([lambda name=name: self.peer(name, reference, current)[0]])
                self._line(name, current, rows, found[name])
            except subprocess.CalledProcessError as error:
                self.failed.add(name)
                print(f"{name:10} failed: {(error.stderr.strip().splitlines() or ['no message'])[-1]}", flush=True)
        return found

    def _line(self, name: str, current: Path, rows: int, one: Measured) -> None:
        imported, drifted = f"{one.import_seconds:>8.2f}", ", ".join(one.drifted) or "-"
        if name == READING:
            imported, drifted = " " * 8, ""
        print(
            f"{name:10} {current.suffix[1:]:8} {rows:>11,} {rows / one.seconds:>12,.0f} {one.seconds:>8.2f} "
            f"{one.cpu_seconds:>8.2f} {one.peak_mb:>8,.0f} {imported} {one.runs:>4}  {drifted}",
            flush=True,
        )

    def years(self) -> None:
        """Print the drifted columns in the census years for each detector."""
        (_, first), *following = drift_tables.census_years(self.folder)
        print("\ncensus years against 2015: columns that drifted")
        for name in ("ours", *PEERS):
            if name in self.failed:
                continue
            progress(f"census years: {name}")
            paths = [path for _, path in following]
            reports = [self.check(first, path) for path in paths] if name == "ours" else self.peer(name, first, *paths)
            for (year, _), one in zip(following, reports, strict=True):
                print(f"{name:10} {year:20} {', '.join(one['drifted']) or '-'}", flush=True)


def check_targets(found: dict[tuple[str, int], dict[str, Measured]], rows: int) -> list[tuple[str, float, float, bool]]:
    """Description, measured value and limit of each target, and whether it is met.

    There is no target for CSV relative to Evidently: reading the file alone takes longer than a hundredth of Evidently's time.
    """
    parquet = found["parquet", rows]
    theirs, mine = parquet["evidently"], parquet["ours"]
    # Other load slows the longer of two programs more, so the lower multiple of wall-clock and CPU time counts.
    times = min(theirs.seconds / mine.seconds, theirs.cpu_seconds / mine.cpu_seconds)
    targets: list[tuple[str, float, float, bool]] = [
        ("times Evidently's throughput from parquet", times, TIMES_FASTER, times >= TIMES_FASTER)
    ]
    for (kind, size), one in found.items():
        where = f"from {kind}, {size:,} rows"
        reading = one["ours"].seconds / one[READING].seconds
        targets.append((f"times reading alone {where}", reading, TIMES_READING, reading <= TIMES_READING))
        targets.append((f"MB at the peak {where}", one["ours"].peak_mb, MOST_MB, one["ours"].peak_mb <= MOST_MB))
        if "evidently" in one:
            share = one["ours"].peak_mb / one["evidently"].peak_mb
            targets.append((f"of Evidently's memory {where}", share, MEMORY_SHARE, share <= MEMORY_SHARE))
    return targets


def progress(text: str) -> None:
    """Print the current step to standard error."""
    print(f"[{time.monotonic() - STARTED:4.0f} s] {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Print the tables; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", required=True, help="Python of the environment of requirements-drift-peers.txt")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--many", type=int, default=10_000_000, help="rows of the larger files; 0: none")
    parser.add_argument("--full", action="store_true", help="run all detectors on the larger files, too")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(Path(temporary), chosen.peers)
        progress(f"writing the reference of {chosen.rows:,} rows")
        reference = drift_tables.write(bench.folder / "reference.parquet", chosen.rows, seed=0)
        found: dict[tuple[str, int], dict[str, Measured]] = {}
        head = f"{'':10} {'format':8} {'rows':>11} {'rows/s':>12} {'seconds':>8} {'cpu s':>8} {'peak MB':>8} {'import s':>8}"
        print(f"{head} {'runs':>4}  drifted (expected: none)", flush=True)
        for rows in filter(None, (chosen.rows, chosen.many)):
            for kind in ("parquet", "csv"):
                progress(f"writing {rows:,} rows of {kind}")
                current = drift_tables.write(bench.folder / f"current.{kind}", rows, seed=1)
                progress(f"measuring {rows:,} rows of {kind}")
                peers = [*map(str, PEERS)] if rows == chosen.rows or chosen.full else []
                if kind == "csv" and not chosen.full:  # Evidently takes half a minute or more; CSV adds a few seconds
                    peers = peers[1:]
                found[kind, rows] = bench.size(current, reference, rows, peers)
                current.unlink()
        bench.years()
    if "evidently" in bench.failed:
        print("\nEvidently did not run: there is no comparison")
        return 1
    targets = check_targets(found, chosen.rows)
    print("\ntargets")
    for what, value, limit, met in targets:
        print(f"{'met   ' if met else 'MISSED'} {value:>8.2f} {what} (limit {limit:g})")
    peak = max(one["ours"].peak_mb for one in found.values())
    print(f"{targets[0][1]:.0f} times Evidently's throughput; peak {peak:.0f} MB")
    return 0 if all(met for *_, met in targets) else 1


if __name__ == "__main__":
    sys.exit(main())
