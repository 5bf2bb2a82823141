"""Our side of drift.py, in a process of its own.

python -m benchmarks.drift_ours PROFILE CURRENT LIMITS (JSON), or --build TABLE PROFILE
"""

import json
import resource
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq


def build(table: Path, target: Path) -> None:
    """The reference profile of a file."""
    from jobs.drift.profile import Builder

    file = pq.ParquetFile(table)
    kinds = {field.name: "string" if "string" in str(field.type) else "number" for field in file.schema_arrow}
    builder = Builder(kinds)
    for batch in file.iter_batches():
        builder.update(batch)
    target.write_text(json.dumps(builder.build().to_dict()))


def main() -> None:
    """Profile and decide."""
    if sys.argv[1] == "--build":
        build(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    started = time.perf_counter()
    from jobs.drift.decision import DriftLimits, decide
    from jobs.drift.profile import Profile
    from jobs.drift.scan import scan

    imported = time.perf_counter() - started
    reference = Profile.from_dict(json.loads(Path(sys.argv[1]).read_text()))
    started, started_cpu = time.perf_counter(), time.process_time()
    part = scan([sys.argv[2]], reference)
    report = decide(reference, part.profile, DriftLimits.from_settings(json.loads(sys.argv[3])))
    seconds, cpu = time.perf_counter() - started, time.process_time() - started_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    started, started_cpu = time.perf_counter(), time.process_time()
    for _ in pq.ParquetFile(sys.argv[2]).iter_batches(65_536):
        pass
    reading, reading_cpu = time.perf_counter() - started, time.process_time() - started_cpu
    drifted = [column.name for column in report.drifted]
    answer = {"seconds": seconds, "import": imported, "peak_mb": peak, "drifted": drifted, "reading": reading}
    answer |= {"cpu": cpu, "reading_cpu": reading_cpu}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
