"""The scoring entry point of an artifact: what `code/score.py` in model.tar.gz runs (docs/reference/contracts.md).

    python code/score.py <model folder> <rows folder> <out.npy>
    python code/score.py <model folder> -

With `-` the process scores batch after batch: it writes the line `{}` when the model is loaded, then reads lines such as
`{"rows": <rows folder>, "out": <out.npy>, "row": <number of the first row, from 0>}` and answers each with `{}` or
`{"error": <reason>}`. The evaluate job of a later version and the job score run it as a process, so it may change here in any
way that keeps these command lines.
"""

import json
import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from . import payload, serve
from .columns import canonical, violations
from .failures import JobFailure
from .prepared_rows import Rows


def scores(model_folder: Path, rows_folder: Path) -> np.ndarray:
    """Scores of all rows in `rows_folder`: (rows,), or (rows x classes) for multiclass classification.

    `model_folder` is the unpacked model.tar.gz; `rows_folder` has raw rows in *.parquet files, read in order of their names;
    columns that the model does not take are ignored. Raises JobFailure when a column is missing or a value has a wrong type.
    """
    served = serve.model_fn(str(model_folder))
    raw = _read(served, rows_folder)
    raw, problems = canonical(raw, served.columns)
    if problems:
        raise JobFailure(f"column {problems[0].column!r}: {problems[0].count} values {problems[0].what}")
    return served.project.predict(served.model, served.project.features(raw))


def score_batches(model_folder: Path) -> None:
    """Score batches as the module describes, until stdin ends; what model.py prints goes to stderr.

    Values outside of the schema's ranges and lists are errors where serving refuses them (INVALID_VALUES).
    """
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        served = serve.model_fn(str(model_folder))
        print("{}", file=answers, flush=True)
        for line in sys.stdin:
            batch = json.loads(line)
            try:
                np.save(Path(batch["out"]), batch_scores(served, Path(batch["rows"]), batch["row"]))
                answer = {}
            except JobFailure as failure:
                answer = {"error": " ".join(str(failure).split())}
            print(json.dumps(answer), file=answers, flush=True)


def batch_scores(served: serve.Served, rows_folder: Path, first_row: int) -> np.ndarray:
    """Scores of the rows in a folder; `first_row` is the number of the first, for the message of JobFailure."""
    raw, problems = canonical(_read(served, rows_folder), served.columns)
    if not problems and served.refuse_invalid:
        problems = violations(raw, served.columns)
    if problems:
        problems[0].row += first_row
        raise JobFailure(payload.why_bad(problems))
    return served.project.predict(served.model, served.project.features(raw))


def _read(served: serve.Served, rows_folder: Path) -> pd.DataFrame:
    raw = Rows.of(rows_folder, f"{rows_folder.name} has no rows").frame()
    missing = [column.name for column in served.columns if column.name not in raw]
    if missing:
        raise JobFailure(f"the column {missing[0]!r}, which it needs, is not in the data any more")
    return raw


def run() -> NoReturn:
    """Score as the command line says and exit: 0 when all is written, else 1 with the reason as last line of stderr.

    Exits at once, as jobs do (`__main__.run` says why): an abort while Python shuts down would look like a failure.
    """
    exit_code = 1
    try:
        if sys.argv[2:] == ["-"]:
            score_batches(Path(sys.argv[1]))
        else:
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
