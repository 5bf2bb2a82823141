"""The scoring script for artifacts that were made before they carried `code/score.py` (docs/decisions/0015).

It runs with the artifact's own code, whose modules are `jobs.serve`, `jobs.columns` and `jobs.failures` in all of those
versions. Nothing here follows later changes of this package, and nothing new belongs here.
"""

SCORE = """
import os, pathlib, sys, traceback
folder, rows, out = sys.argv[1:]
sys.path.insert(0, folder + "/code")
from jobs.serve import model_fn
import numpy, pandas
from jobs.columns import canonical
from jobs.failures import JobFailure

def scores():
    served = model_fn(folder)
    raw = pandas.concat(map(pandas.read_parquet, sorted(pathlib.Path(rows).glob("*.parquet"))), ignore_index=True)
    gone = [column.name for column in served.columns if column.name not in raw]
    if gone:
        raise JobFailure(f"the column {gone[0]!r}, which it needs, is not in the data any more")
    raw, problems = canonical(raw, served.columns)
    if problems:
        raise JobFailure(f"column {problems[0].column!r}: {problems[0].count} values {problems[0].what}")
    return served.project.predict(served.model, served.project.features(raw))

failed = 1
try:
    numpy.save(out, scores())
    failed = 0
except JobFailure as failure:
    print(" ".join(str(failure).split()), file=sys.stderr)
except BaseException:
    traceback.print_exc()
sys.stdout.flush()
sys.stderr.flush()
os._exit(failed)
"""
