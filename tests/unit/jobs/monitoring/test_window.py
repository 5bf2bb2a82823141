"""The window of a run: rows, scores of each version, invalid and new values, and what is said of other versions."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from jobs.monitoring import live_version, window
from jobs.monitoring.attribution import AMBIGUOUS, UNKNOWN, Attribution
from jobs.monitoring.captured import Batch
from jobs.monitoring.predictions import ScoredRequest
from jobs.monitoring.window import Window

from .live_traffic import live_version_of


@pytest.fixture
def live(records):
    return live_version_of(records(300), np.linspace(0, 1, 300), arn="arn/sales/3")


@pytest.fixture
def opened(live, settings):
    return Window(live, settings(), Attribution(3, 2, 100, 200))


def batch(rows: int, key: str = "a", scores=None, **more) -> Batch:
    table = pd.DataFrame({"x": np.arange(float(rows)), "colour": ["red"] * rows}) if rows else None
    return Batch(
        key, table, np.full(rows, 0.5) if scores is None else scores, **({"bad_lines": 0, "lines": rows} | more)
    )


def test_bad_lines_are_added_up_by_object(opened):
    assert opened.bad_share == 0.0
    opened.add(
        batch(0, "a", bad_lines=3, lines=3, first_error="a, line 1: no", bad=[{"line": str(n)} for n in range(15)])
    )
    opened.add(batch(5, "b"))
    opened.add(
        batch(0, "c", bad_lines=1, lines=2, first_error="c, line 2: no", bad=[{"line": str(n)} for n in range(15)])
    )
    assert (opened.lines, opened.bad_lines, opened.bad_share) == (10, 4, 0.4)
    assert (opened.bad_by_object, opened.first_error) == ({"a": 3, "c": 1}, "a, line 1: no")
    assert [each["line"] for each in opened.quarantine] == [*map(str, range(15)), *map(str, range(5))]


def test_rows_without_scores_are_counted_as_inputs(opened):
    opened.add(batch(4, scores=np.empty(0)))
    assert (opened.data.rows, opened.scores.rows, dict(opened.answered)) == (4, 0, {})
    assert opened.sample.table().num_rows == 4


def test_scores_without_a_version_are_those_of_the_live_one(opened):
    opened.add(batch(4))
    assert (opened.scores.rows, dict(opened.answered)) == (4, {3: 4})


def test_scores_are_counted_for_the_version_that_answered(opened, live, monkeypatch):
    known = {5: live.score_baseline, 2: None}
    monkeypatch.setattr(live_version, "score_baseline", lambda arn, version: known[version])
    times = np.array([50, 150, 250, 250, 50, 0])
    opened.add(batch(6, named=np.array([0, 0, 0, 5, 5, 0], "int32"), seconds=times))
    assert dict(opened.answered) == {2: 1, AMBIGUOUS: 2, 3: 1, 5: 2}
    assert opened.scores.rows == 1
    assert (opened.other_scores[5][1].rows, opened.other_scores[2], opened.other_scores[AMBIGUOUS]) == (2, None, None)
    assert [finding.text for finding in opened.answered_findings()] == [
        "2 rows were answered by version 5; their scores are judged by its own baseline",
        "1 rows were answered by version 2; their scores are not judged",
        "2 rows were answered while the traffic moved and do not name their version; their scores are not judged",
    ]


def test_requests_before_the_first_known_version_are_not_judged(live, settings):
    opened = Window(live, settings(), Attribution(3, UNKNOWN, 100, 100))
    opened.add(batch(2, named=np.zeros(2, "int32"), seconds=np.array([50, 150])))
    assert [finding.text for finding in opened.answered_findings()] == [
        "1 rows were answered before the first version that is known; their scores are not judged"
    ]
    assert not any(finding.violation for finding in opened.answered_findings())


def test_unreadable_requests_to_other_versions_are_named_newest_first(opened):
    opened.add(batch(0, others=Counter({2: 1_500, 4: 1})))
    assert [finding.text for finding in opened.answered_findings()] == [
        "1 requests to version 4 cannot be read with the columns of version 3",
        "1,500 requests to version 2 cannot be read with the columns of version 3",
    ]


def test_baselines_of_eight_other_versions_are_read(opened, live, monkeypatch):
    asked = []
    monkeypatch.setattr(
        live_version, "score_baseline", lambda arn, version: asked.append((arn, version)) or live.score_baseline
    )
    for _ in range(2):
        opened.add(batch(10, named=np.arange(10, 20, dtype="int32"), seconds=np.zeros(10)))
    assert asked == [("arn/sales/3", version) for version in range(10, 18)]
    assert {version: rows for version, rows in opened.answered.items() if version > 17} == {18: 2, 19: 2}
    assert opened.other_scores[17][1].rows == 2


def test_version_without_a_name_has_no_other_baselines(records, settings, monkeypatch):
    monkeypatch.setattr(live_version, "score_baseline", lambda arn, version: pytest.fail("it has no group"))
    opened = Window(live_version_of(records(300), np.zeros(300)), settings())
    opened.add(batch(1, named=np.array([9], "int32"), seconds=np.zeros(1)))
    assert opened.other_scores == {9: None}


def test_predictions_are_kept_for_labels_in_a_quarter_of_the_memory(opened):
    assert opened.predictions.capacity == 250_000
    opened.add(
        batch(1, scored=[ScoredRequest("r", 150, np.array([[0.5]])), ScoredRequest("s", 9, np.array([[0.5]]), 5)])
    )
    assert opened.predictions.predictions().versions.tolist() == [AMBIGUOUS, 5]


def test_values_against_the_schema_are_counted_by_column(opened):
    made = batch(4)
    made.rows["colour"] = ["red", "pink", "pink", "blue"]
    opened.add(made)
    opened.add(made)
    assert opened.violations == [("colour", "4 values are not one of red, green, blue")]


def test_values_that_training_did_not_have_are_counted(opened, monkeypatch):
    made = batch(5)
    made.rows["colour"] = ["red", "pink", "pink", None, "grey"]
    opened.add(made)
    assert opened.new_values == {"colour": {"pink": 2, "grey": 1}}
    monkeypatch.setattr(window, "MAX_NEW_VALUES", 3)
    made.rows["colour"] = ["a", "b", "c", "pink", None]
    opened.add(made)
    opened.add(made)
    assert opened.new_values == {"colour": {"pink": 3, "grey": 1, "a": 1, "b": 1, "c": 1}}, "five are enough"
