"""One detector over one pair of parquet files, in a process of its own: python drift_peers.py NAME REFERENCE CURRENT

Prints JSON: seconds and peak memory of comparing all columns, with the reading of the current file but without imports and the
reference, which a monitor has; and the columns that the detector, as it comes, says have drifted.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

type Detector = Callable[[pd.DataFrame, pd.DataFrame], list[str]]


def evidently() -> Detector:
    """Evidently's DataDriftPreset: distances with fixed limits above 1,000 rows, p values below."""
    from evidently import Report
    from evidently.presets import DataDriftPreset

    def compare(reference: pd.DataFrame, current: pd.DataFrame) -> list[str]:
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


def nannyml() -> Detector:
    """NannyML's univariate drift in its default chunks; a column has drifted when most of them alert."""
    import nannyml as nml

    def compare(reference: pd.DataFrame, current: pd.DataFrame) -> list[str]:
        names = list(reference.columns)
        calculator = nml.UnivariateDriftCalculator(names).fit(reference)
        frame = calculator.calculate(current).filter(period="analysis").to_df()
        alerts = [column for column in frame.columns if column[-1] == "alert"]
        return [n for n in names if any(frame[column].mean() > 0.5 for column in alerts if column[0] == n)]

    return compare


def scipy() -> Detector:
    """A test a column at 5 %, as in many notebooks: Kolmogorov and Smirnov's, or chi-squared."""
    from scipy import stats

    def compare(reference: pd.DataFrame, current: pd.DataFrame) -> list[str]:
        drifted = []
        for name in reference.columns:
            old, new = reference[name], current[name]
            if pd.api.types.is_numeric_dtype(old):
                p_value = stats.ks_2samp(old.dropna(), new.dropna(), method="asymp").pvalue
            else:
                counts = pd.concat([old.value_counts(), new.value_counts()], axis=1).fillna(0)
                p_value = stats.chi2_contingency(counts.to_numpy().T).pvalue
            if p_value < 0.05:
                drifted.append(str(name))
        return drifted

    return compare


def main() -> None:
    """Run one detector."""
    name, reference_path, current_path = sys.argv[1:]
    started = time.perf_counter()
    compare = {"evidently": evidently, "nannyml": nannyml, "scipy": scipy}[name]()
    imported = time.perf_counter() - started
    reference = pd.read_parquet(Path(reference_path))
    started = time.perf_counter()
    drifted = compare(reference, pd.read_parquet(Path(current_path)))
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"seconds": seconds, "import": imported, "peak_mb": peak, "drifted": drifted}))


if __name__ == "__main__":
    main()
