"""Our detector, and reading without detection, for drift.py; each run is a process that prints JSON.

python -m benchmarks.drift_ours build TABLE PROFILE | check PROFILE CURRENT LIMITS (JSON) | read CURRENT table|batches
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.drift_peers import peak_mb


def build(table: str, target: str) -> dict[str, Any]:
    """Write the reference profile of a file."""
    import pyarrow.parquet as pq

    from jobs.drift.profile import Builder

    file = pq.ParquetFile(table)
    kinds = {field.name: "string" if "string" in str(field.type) else "number" for field in file.schema_arrow}
    builder = Builder(kinds)
    for batch in file.iter_batches():
        builder.update(batch)
    Path(target).write_text(json.dumps(builder.build().to_dict()))
    return {}


def check(profile: str, current: str, limits: str) -> dict[str, Any]:
    """Seconds to read, profile and check a file, without imports and without the reference, which a monitor has already."""
    started = time.perf_counter()
    from jobs.drift.decision import DriftLimits, decide
    from jobs.drift.profile import Profile
    from jobs.drift.scan import scan

    imported = time.perf_counter() - started
    reference = Profile.from_dict(json.loads(Path(profile).read_text()))
    started, started_cpu = time.perf_counter(), time.process_time()
    part = scan([current], reference)
    report = decide(reference, part.profile, DriftLimits.from_settings(json.loads(limits)))
    durations = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - started_cpu}
    return durations | {"import": imported, "drifted": [column.name for column in report.drifted]}


def read(current: str, how: str) -> dict[str, Any]:
    """Seconds to read a file with pyarrow's defaults on all cores: as one table, or in batches that are not kept."""
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    csv = current.endswith(".csv")
    started, started_cpu = time.perf_counter(), time.process_time()
    if how == "table":
        kept = pacsv.read_csv(current) if csv else pq.read_table(current)
        rows = len(kept)
    else:
        batches = pacsv.open_csv(current) if csv else pq.ParquetFile(current).iter_batches(65_536)
        rows = sum(len(batch) for batch in batches)
    return {"seconds": time.perf_counter() - started, "cpu": time.process_time() - started_cpu, "rows": rows}


def main() -> None:
    """Run one of them."""
    command, *arguments = sys.argv[1:]
    answer = {"build": build, "check": check, "read": read}[command](*arguments)
    print(json.dumps(answer | {"peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
