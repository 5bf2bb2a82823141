"""Samples of rows in bounded memory: the rows with the smallest keys, whatever the chunks."""

import numpy as np
import pyarrow as pa

from jobs.drift.sampling import RowSample


def rows(start, count):
    return pa.table({"x": np.arange(start, start + count)})


def sample(chunks, capacity=10, seed=(0,)):
    made, start = RowSample(capacity, seed), 0
    for count in chunks:
        made.update(rows(start, count))
        start += count
    return made


def expected(count, capacity=10, seed=(0,)):
    """The rows with the smallest of the generator's numbers, in their order."""
    keys = np.random.Generator(np.random.PCG64(list(seed))).random(count)
    return np.argsort(keys)[:capacity].tolist()


def test_sample_has_the_rows_with_the_smallest_keys():
    for chunks in ([100], [1] * 100, [7, 0, 43, 50]):
        assert sample(chunks).table().column("x").to_pylist() == expected(100)
    assert sample([5]).table().column("x").to_pylist() == expected(5)
    assert sample([]).table() is None


def test_sample_goes_on_after_it_was_read():
    made = RowSample(10)
    for start, count in ((0, 5), (5, 5), (10, 90)):
        made.update(rows(start, count))
        assert made.table().column("x").to_pylist() == expected(start + count)


def test_seed_is_zero_unless_another_is_given():
    made = RowSample(10)
    made.update(rows(0, 100))
    assert made.table().column("x").to_pylist() == expected(100, seed=(0,))


def test_no_more_rows_are_kept_than_twice_the_capacity():
    made = sample([20])
    assert sum(len(each) for each in made._rows) == 20, "twice the capacity is not cut yet"
    made.update(rows(20, 20))
    assert sum(len(each) for each in made._rows) <= 20
    made.update(rows(40, 1_000))
    assert sum(len(each) for each in made._rows) <= 20
    assert made.table().column("x").to_pylist() == expected(1_040)


def test_merged_sample_has_the_smallest_keys_of_both():
    first, second = sample([60], seed=(0,)), sample([40], seed=(1,))
    keys = np.concatenate([np.random.Generator(np.random.PCG64([seed])).random(n) for seed, n in ((0, 60), (1, 40))])
    wanted = [int(at) if at < 60 else int(at) - 60 for at in np.argsort(keys)[:10]]
    first.merge(second)
    assert first.table().column("x").to_pylist() == wanted
    assert first._seen == 100
