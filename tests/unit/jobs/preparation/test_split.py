"""The split depends on each row's content only."""

import numpy as np
import pandas as pd
import pytest

from jobs.preparation import split


@pytest.fixture
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=20_000)
    return pd.DataFrame({"x": x, "colour": rng.choice(["red", None], 20_000), "sold": x > 0})


def test_split_does_not_depend_on_order_and_chunks(rows):
    parts = pd.Series(split.assign(rows, 0, 0.15, 0.15), rows.index)
    shuffled = rows.sample(frac=1, random_state=1)
    assert (split.assign(shuffled, 0, 0.15, 0.15) == parts[shuffled.index]).all()
    chunks = [split.assign(rows.iloc[start : start + 7_001], 0, 0.15, 0.15) for start in range(0, 20_000, 7_001)]
    assert (np.concatenate(chunks) == parts).all()


def test_parts_have_the_given_fractions(rows):
    shares = np.bincount(split.assign(rows, 0, 0.2, 0.1), minlength=3) / len(rows)
    assert shares == pytest.approx([0.7, 0.2, 0.1], abs=0.01)  # four standard deviations


def test_equal_rows_get_the_same_part(rows):
    twice = pd.concat([rows, rows])
    parts = split.assign(twice, 3, 0.3, 0.3)
    assert (parts[: len(rows)] == parts[len(rows) :]).all()


def test_seed_changes_the_split(rows):
    first, second = (split.assign(rows, seed, 0.5, 0.25) for seed in (0, 1))
    assert (first == second).mean() == pytest.approx(0.5**2 + 0.25**2 + 0.25**2, abs=0.02)
