"""The scoring entry point of an artifact: what `code/score.py` in model.tar.gz runs (docs/reference/contracts.md).

    python code/score.py <model folder> <rows folder> <out.npy>

A later version's evaluate job runs it as a process, so it may change here in any way that keeps this command line.
"""

import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import numpy as np

from . import serve
from .columns import canonical
from .failures import JobFailure
from .prepared_rows import Rows


def scores(model_folder: Path, rows_folder: Path) -> np.ndarray:
    """Scores of all rows in `rows_folder`: (rows,), or (rows x classes) for multiclass classification.

    `model_folder` is the unpacked model.tar.gz; `rows_folder` has raw rows in *.parquet files, read in order of their names;
    columns that the model does not take are ignored. Raises JobFailure when a column is missing or a value has a wrong type.
    """
    served = serve.model_fn(str(model_folder))
    raw = Rows.of(rows_folder, rows_folder.name).frame()
    missing = [column.name for column in served.columns if column.name not in raw]
    if missing:
        raise JobFailure(f"the column {missing[0]!r}, which it needs, is not in the data any more")
    raw, problems = canonical(raw, served.columns)
    if problems:
        raise JobFailure(f"column {problems[0].column!r}: {problems[0].count} values {problems[0].what}")
    return served.project.predict(served.model, served.project.features(raw))


def run() -> NoReturn:
    """Score as the command line says and exit: 0 when the file is written, else 1 with the reason as last line of stderr.

    Exits at once, as jobs do (`__main__.run` says why): an abort while Python shuts down would look like a failure.
    """
    exit_code = 1
    try:
        model_folder, rows_folder, out = map(Path, sys.argv[1:])
        np.save(out, scores(model_folder, rows_folder))
        exit_code = 0
    except JobFailure as failure:
        print(" ".join(str(failure).split()), file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)
