"""Checks that features(raw) is row-wise: a feature that depends on other rows would have another value in serving."""

from itertools import pairwise

import pandas as pd

from ..failures import JobFailure
from ..project import Project

SAMPLE_ROWS = 200
SINGLE_ROWS = 5


def check(model: Project, raw: pd.DataFrame) -> None:
    """Compare the features of a sample with those of its parts, some of one row as most requests.

    Raises JobFailure with the name of the feature that differs.
    """
    sample = raw.iloc[:SAMPLE_ROWS].reset_index(drop=True)
    first = min(SINGLE_ROWS, len(sample))
    middle = first + (len(sample) - first) // 3
    cuts = sorted({*range(first + 1), middle, len(sample)})
    whole = model.features(sample).reset_index(drop=True)
    parts = [model.features(sample.iloc[start:end]) for start, end in pairwise(cuts)]
    advice = "keep features(raw) row by row; what is learned from the data (means, encoders) belongs in train"
    if any(list(part.columns) != list(whole.columns) for part in parts):
        raise JobFailure(f"model.py: features(raw) makes other columns for other rows; {advice}")
    joined = pd.concat(parts, ignore_index=True)
    for name in whole.columns:
        if not _same(whole[name], joined[name]):
            raise JobFailure(f"model.py: feature {name!r} of a row depends on the rows around it; {advice}")


def _same(left: pd.Series, right: pd.Series) -> bool:
    try:
        pd.testing.assert_series_equal(left, right, check_dtype=False, check_categorical=False, rtol=1e-9, atol=1e-12)
    except AssertionError:
        return False
    return True
