"""The split into train, validation and test: decided by each row's content, so it is the same in any order and chunk."""

import numpy as np
import pandas as pd

PARTS = ("train", "validation", "test")


def assign(rows: pd.DataFrame, seed: int, validation: float, test: float) -> np.ndarray:
    """The index in PARTS of each row's part. Equal rows get the same part, so that no test row is trained on.

    `validation` and `test` are the fractions of the rows.
    """
    hashed = pd.util.hash_pandas_object(rows, index=False).to_numpy()
    uniform = _mix(hashed ^ np.uint64(seed * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)) / 2.0**64
    return np.where(uniform < test, 2, np.where(uniform < test + validation, 1, 0))


def _mix(values: np.ndarray) -> np.ndarray:
    """The last step of SplitMix64 (Steele, Lea, Flood 2014), which spreads the seed over all bits."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
