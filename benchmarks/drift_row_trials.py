"""False alarms and power of our detector and others, for whole checks of the same generated rows.

    PYTHONPATH=.:constructs python -m benchmarks.drift_row_trials --peers .venv-drift-peers/bin/python [--seconds 20]

Every detector has its default settings. There are 20 columns: half are continuous, the others have categories, rare values and
nulls. A check alarms when any column has drifted. Trial n has the same rows for all detectors; a slow detector has as many
trials as its CPU seconds allow. `… one NAME CASE TRIALS SECONDS` runs one detector, in either environment.
"""

import argparse
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # this project is not installed in the peers' environment

from benchmarks.drift_peers import DETECTORS, MODULES  # noqa: E402

type Columns = dict[str, Any]
SHIFTED = "shifted"
FEATURES = 20
CASES: dict[str, tuple[int, int, str]] = {
    "nothing": (10_000, 1_000, ""),
    "nothing ": (10_000, 10_000, ""),
    "mean by 0.25 sd": (10_000, 10_000, "mean"),
    "variance +25 %": (10_000, 10_000, "variance"),
    "category 50 to 55 %": (10_000, 10_000, "category"),
    "5 % new nulls": (10_000, 10_000, "nulls"),
    "mean by 0.02 sd": (500_000, 1_000_000, "slight"),
}
"""Name: rows of the reference, rows of the window, shift of the window's first column."""


def zipf(categories: int) -> np.ndarray:
    """Shares that fall as 1/rank."""
    shares = 1.0 / np.arange(1, categories + 1)
    return shares / shares.sum()


SHARES = [zipf(10), np.full(300, 1 / 300), zipf(2000), np.array([0.999, 0.001]), np.append(0.9, np.full(80, 0.1 / 80))]


def texts(rng: np.random.Generator, rows: int, shares: np.ndarray) -> np.ndarray:
    """Values of categories with these shares."""
    names = np.array([f"value {index}" for index in range(len(shares))], dtype=object)
    return names[rng.choice(len(shares), rows, p=shares)]


def table(rng: np.random.Generator, rows: int, kind: str, shift: str) -> pd.DataFrame:
    """Rows of one side; `kind` selects the type of the first column, `shift` its shift (empty for the reference)."""
    first: Any = rng.normal(size=rows)
    if shift in ("mean", "slight"):
        first = first + (0.25 if shift == "mean" else 0.02)
    if shift == "variance":
        first = first * 1.25**0.5
    if kind == "category":
        first = texts(rng, rows, np.array([0.55, 0.45] if shift else [0.5, 0.5]))
    if shift == "nulls":
        first = np.where(rng.random(rows) < 0.05, np.nan, first)
    columns: Columns = {SHIFTED: first}
    for index in range(1, 5 if kind == "slight" else FEATURES):
        if index % 2 == 0:
            columns[f"x{index}"] = rng.normal(size=rows)
        elif (which := (index // 2) % (len(SHARES) + 1)) < len(SHARES):
            columns[f"c{index}"] = texts(rng, rows, SHARES[which])
        else:
            columns[f"x{index}"] = np.where(rng.random(rows) < 0.02, np.nan, rng.normal(size=rows))
    return pd.DataFrame(columns)


def ours(reference: pd.DataFrame) -> Callable[[pd.DataFrame], list[str]]:
    """Our detector, with the defaults of model.yaml."""
    from jobs.drift.decision import DriftLimits, decide
    from jobs.drift.profile import Builder
    from model_factory.config.monitoring import Drift

    numeric = pd.api.types.is_numeric_dtype
    builder = Builder({str(n): "number" if numeric(reference[n]) else "string" for n in reference.columns})
    builder.update(reference)
    before = builder.build()

    def compare(current: pd.DataFrame) -> list[str]:
        now = before.empty_like()
        now.update(current)
        return [column.name for column in decide(before, now, DriftLimits.from_settings(Drift().model_dump())).drifted]

    return compare


def one(name: str, case: str, trials: int, seconds: float) -> dict[str, int]:
    """Counts for one detector: trials, and trials in which the shifted column, another one, or any column has drifted."""
    reference_rows, window_rows, shift = CASES[case]
    detector = ours if name == "ours" else DETECTORS[name]
    for module in MODULES.get(name, []):
        importlib.import_module(module)  # import time does not count as a trial's time
    done = shifted = other = alarms = 0
    started = time.process_time()
    while done < trials and (done == 0 or time.process_time() - started < seconds):
        rng = np.random.default_rng([done, window_rows, len(shift)])
        before, now = table(rng, reference_rows, shift, ""), table(rng, window_rows, shift, shift)
        drifted = set(detector(before)(now))
        shifted += SHIFTED in drifted
        other += bool(drifted - {SHIFTED})
        alarms += bool(drifted)
        done += 1
    return {"trials": done, "shifted": shifted, "other": other, "any": alarms}


def main() -> None:
    """Run one detector, or print the table of all."""
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(one(sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))))
        return
    from benchmarks.drift import python
    from benchmarks.drift_calibration import share

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", required=True, help="Python of the environment of requirements-drift-peers.txt")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0, help="CPU seconds per detector and case")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()

    def run(work: tuple[str, str]) -> dict[str, int] | str:
        case, name = work
        interpreter = sys.executable if name == "ours" else chosen.peers
        try:
            printed = python(interpreter, __file__, "one", name, case, str(chosen.trials), str(chosen.seconds))
        except subprocess.CalledProcessError as error:
            return (error.stderr.strip().splitlines() or ["failed"])[-1]
        return json.loads(printed.splitlines()[-1])

    works = [(case, name) for case in CASES for name in ("ours", *DETECTORS)]
    print(
        f"{'shift':20} {'reference':>9} {'window':>9} {'detector':10} {'trials':>6}  {'finds the shift':28} false alarm"
    )
    with ThreadPoolExecutor(chosen.workers) as pool:
        for (case, name), found in zip(works, pool.map(run, works), strict=True):
            reference_rows, window_rows, shift = CASES[case]
            head = f"{case.strip():20} {reference_rows:>9,} {window_rows:>9,} {name:10}"
            if isinstance(found, str):
                print(f"{head} failed: {found}", flush=True)
                continue
            trials = found["trials"]
            shifted = share(found["shifted"], trials) if shift else ""
            # Without a shift, drift of the first column is a false alarm, too.
            wrong = found["other"] if shift else found["any"]
            print(f"{head} {trials:>6}  {shifted:28} {share(wrong, trials)}", flush=True)


if __name__ == "__main__":
    main()
