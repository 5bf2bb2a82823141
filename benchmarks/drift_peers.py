"""Runs one detector on a reference and current files: python drift_peers.py NAME REFERENCE CURRENT…

Prints a line of JSON for each current file: seconds and peak memory to read it and compare all columns, without imports and
without the preparation of the reference, which a monitor has already; and the drifted columns, with default settings.
"""

# The detectors are installed in .venv-drift-peers only.

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the import time is measured with the detector's
    import pandas as pd

type Detector = Callable[[pd.DataFrame], list[str]]
"""Names of the columns of the current data that drifted."""


def evidently(reference: pd.DataFrame) -> Detector:
    """Evidently's DataDriftPreset: distances with fixed limits above 1,000 rows, p values below."""
    from evidently import Report
    from evidently.presets import DataDriftPreset

    def compare(current: pd.DataFrame) -> list[str]:
        result: Any = Report([DataDriftPreset()]).run(current, reference).dict()
        drifted = []
        for metric in result["metrics"]:
            config = metric.get("config", {})
            if config.get("type", "").endswith("ValueDrift"):
                value, threshold = float(metric["value"]), config["threshold"]
                p_value = "p_value" in config["method"]
                if value < threshold if p_value else value >= threshold:
                    drifted.append(config["column"])
        return drifted

    return compare


def nannyml(reference: pd.DataFrame) -> Detector:
    """NannyML's univariate drift in its default chunks; a column has drifted when more than half of them alert."""
    import nannyml as nml

    names = list(reference.columns)
    calculator = nml.UnivariateDriftCalculator(names).fit(reference)

    def compare(current: pd.DataFrame) -> list[str]:
        frame = calculator.calculate(current).filter(period="analysis").to_df()
        alerts = [column for column in frame.columns if column[-1] == "alert"]
        return [n for n in names if any(frame[column].mean() > 0.5 for column in alerts if column[0] == n)]

    return compare


def whylogs(reference: pd.DataFrame) -> Detector:
    """Whylogs' profiles and its default drift scores: KS over sketches, chi-squared over frequent items."""
    os.environ["WHYLOGS_NO_ANALYTICS"] = "True"  # disables usage reports
    import whylogs as why
    from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

    before = why.log(pandas=reference).view()

    def compare(current: pd.DataFrame) -> list[str]:
        scores = calculate_drift_scores(why.log(pandas=current).view(), before, with_thresholds=True)
        return [name for name, score in scores.items() if score and score["drift_category"] == "DRIFT"]

    return compare


def scipy(reference: pd.DataFrame) -> Detector:
    """A test per column at 5 %, as in many notebooks: Kolmogorov-Smirnov or chi-squared."""
    import pandas as pd
    from scipy import stats

    def compare(current: pd.DataFrame) -> list[str]:
        drifted = []
        for name in reference.columns:
            old, new = reference[name], current[name]
            if pd.api.types.is_numeric_dtype(old):
                result: Any = stats.ks_2samp(old.dropna(), new.dropna(), method="asymp")
            else:
                counts = pd.concat([old.value_counts(), new.value_counts()], axis=1).fillna(0)
                result = stats.chi2_contingency(counts.to_numpy().T)
            if result.pvalue < 0.05:
                drifted.append(str(name))
        return drifted

    return compare


DETECTORS = {"evidently": evidently, "nannyml": nannyml, "whylogs": whylogs, "scipy": scipy}
MODULES = {
    "evidently": ["evidently", "evidently.presets"],
    "nannyml": ["nannyml"],
    "whylogs": ["whylogs", "whylogs.viz.drift.column_drift_algorithms"],
    "scipy": ["scipy.stats", "pandas"],
}


def read(path: Path) -> pd.DataFrame:
    """Read a file with pandas."""
    import pandas as pd

    return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)


def peak_mb() -> float:
    """Peak resident memory of this process; getrusage would include the memory of its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1.024e-3 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    """Run one detector."""
    name, reference, *currents = sys.argv[1:]
    started = time.perf_counter()
    for module in MODULES[name]:
        importlib.import_module(module)
    imported = time.perf_counter() - started
    compare = DETECTORS[name](read(Path(reference)))
    for current in currents:
        started, started_cpu = time.perf_counter(), time.process_time()
        drifted = compare(read(Path(current)))
        answer = {
            "seconds": time.perf_counter() - started,
            "cpu": time.process_time() - started_cpu,
            "import": imported,
        }
        print(json.dumps(answer | {"drifted": drifted, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
