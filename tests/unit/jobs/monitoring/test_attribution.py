"""Which version answered a captured request, and what it is judged with."""

import json
from datetime import timedelta

import numpy as np
import pytest

from jobs.drift.history import History
from jobs.monitoring import captured, live_version, window
from jobs.monitoring.attribution import AMBIGUOUS, UNKNOWN, Attribution
from jobs.monitoring.check import examine
from jobs.monitoring.live_version import LiveVersion
from model_factory.config.monitoring import Monitoring

from ..conftest import BUCKET
from .live_traffic import COLUMNS, NOW, line, live_version_of, requests

GROUPS = {"a": 3, "b": 4, "c": 3, "d": 4, "e": 4, "f": 3}
"""Groups of requests during a canary deployment, and the versions that answered them in turn."""
HOUR = timedelta(hours=1)


def answered_by(version: int, lines: list[str]) -> list[str]:
    """The same captured requests, with answers that name their version."""
    named = [json.loads(each) for each in lines]
    for each in named:
        each["captureData"]["endpointOutput"]["observedContentType"] += f"; model-version={version}"
    return [json.dumps(each) for each in named]


@pytest.fixture
def read(s3):
    """Reads captured lines as the monitor of a live version does."""

    def one(lines: list[str], live: LiveVersion, attribution: Attribution | None = None) -> window.Window:
        s3.put_object(Bucket=BUCKET, Key="captured.jsonl", Body="\n".join(lines).encode())
        found = window.Window(live, {"data": {"label": "sold", "schema": {}}}, attribution)
        found.add(captured.read(BUCKET, "captured.jsonl", COLUMNS, live.version))
        return found

    return one


def test_answers_of_two_versions_in_turn_are_attributed(read, records):
    """All requests have one time, at which the model of the newer version had been created: 6 of 6 groups, not 3 of 6."""
    rows = records(60)
    groups = [
        answered_by(version, requests(rows[n * 10 : n * 10 + 10], np.full(10, n / 10), name))
        for n, (name, version) in enumerate(GROUPS.items())
    ]
    interleaved = [lines[number] for number in range(10) for lines in groups]
    live = live_version_of(records(300), np.linspace(0, 1, 300), version=4, deployed=NOW - HOUR)
    found = read(interleaved, live)
    kept = found.predictions.predictions()
    versions = {score: set(kept.versions[kept.scores[:, 0] == score].tolist()) for score in np.unique(kept.scores)}
    assert list(versions.values()) == [{version} for version in GROUPS.values()]
    assert found.answered == {3: 30, 4: 30}
    assert found.scores.rows == 30
    assert found.data.rows == 60


def test_scores_of_older_version_are_judged_by_its_own_baseline(read, records, monkeypatch):
    rows, asked = records(300), []
    live = live_version_of(rows, np.full(300, 0.9), version=4, arn="arn:aws:sagemaker:r:1:model-package/g/4")
    older = live_version_of(rows, np.full(300, 0.1), version=3)
    monkeypatch.setattr(
        live_version, "score_baseline", lambda arn, version: asked.append((arn, version)) or older.score_baseline
    )
    found = read(answered_by(3, requests(rows, np.full(300, 0.1), "a")), live)
    baseline, now = found.other_scores[3]
    assert (baseline.rows, now.rows, found.scores.rows, asked) == (300, 300, 0, [(live.arn, 3)])
    check = examine(live, found, History(4), NOW, Monitoring().model_dump(mode="json"))
    assert [column.name for report in check.other_scores for column in report.columns] == ["score of version 3"]
    assert check.drifted == []
    (finding,) = found.answered_findings()
    assert finding.text == "300 rows were answered by version 3; their scores are judged by its own baseline"
    assert not finding.violation


def test_requests_with_columns_of_another_version_are_no_bad_lines(read, records):
    live = live_version_of(records(300), np.zeros(300), version=4)
    lines = [
        *answered_by(3, [line("a", "1.0,red,7\n", "0.5\n"), line("b", "many,red\n", "0.5\n")]),
        *answered_by(4, [line("c", "many,red\n", "0.5\n"), line("d", "1.0,red\n", "0.5\n")]),
    ]
    found = read(lines, live)
    assert (found.lines, found.bad_lines, found.unreadable_of_others) == (4, 1, {3: 2})
    texts = [finding.text for finding in found.answered_findings()]
    assert texts == ["2 requests to version 3 cannot be read with the columns of version 4"]


def test_unnamed_answers_during_shift_are_ambiguous_and_not_judged(read, records):
    rows = records(300)
    live = live_version_of(rows, np.linspace(0, 1, 300), version=4)
    start = int(NOW.timestamp())
    found = read(requests(rows[:5], np.zeros(5), "a"), live, Attribution(4, 3, start - 10, start + 10))
    assert found.answered == {AMBIGUOUS: 5}
    assert found.scores.rows == 0
    assert set(found.predictions.predictions().versions.tolist()) == {AMBIGUOUS}
    (finding,) = found.answered_findings()
    assert finding.text.startswith("5 rows were answered while the traffic moved and do not name their version")


def versions(attribution: Attribution, *seconds: int, named: int = 0) -> list[int]:
    return attribution.versions(np.full(len(seconds), named, "int32"), np.asarray(seconds, "int64")).tolist()


def test_times_decide_where_answers_name_no_version():
    shifted = Attribution(7, 6, 100, 200)
    assert versions(shifted, 99, 100, 199, 200, 0) == [6, AMBIGUOUS, AMBIGUOUS, 7, AMBIGUOUS]
    assert versions(shifted, 99, 150, 0, named=5) == [5, 5, 5]
    assert versions(Attribution(7, 6, 100, 200, changing_since=300), 299, 300) == [7, AMBIGUOUS]
    assert versions(Attribution(7), 5) == [7]


def test_shift_is_between_what_two_runs_saw(records):
    def live(version: int, **more: object) -> LiveVersion:
        return live_version_of(records(20), np.zeros(20), version=version, **more)

    second = int(NOW.timestamp())
    first = Attribution.after(None, live(6, deployed=NOW, settled=NOW + HOUR))
    assert (first.before, first.shift_start, first.shift_end) == (UNKNOWN, second, second + 3600)
    report = {"version": 6, "scheduled_time": (NOW + 2 * HOUR).isoformat(), "shift": first.to_dict()}
    scaled = Attribution.after(report, live(6, deployed=NOW, settled=NOW + 3 * HOUR))
    assert scaled == first
    # A rollback to a version whose model is old: the last run still saw the newer one live.
    back = Attribution.after(report, live(5, deployed=NOW - HOUR, settled=NOW + 3 * HOUR))
    assert (back.before, back.shift_start, back.shift_end) == (6, second + 7200, second + 10800)
    changing = Attribution.after(report, live(6, deployed=NOW, changing_since=NOW + 4 * HOUR))
    assert versions(changing, second + 3 * 3600, second + 5 * 3600) == [6, AMBIGUOUS]


def test_report_of_earlier_release_continues():
    """It has `version_before` and no `shift`."""
    live = live_version_of_nothing(7)
    kept = Attribution.after({"version": 7, "version_before": 6, "scheduled_time": NOW.isoformat()}, live)
    assert versions(kept, int(NOW.timestamp()) - 1, int(NOW.timestamp())) == [6, 7]


def live_version_of_nothing(version: int) -> LiveVersion:
    return LiveVersion(version, NOW, None, None, {}, [], deployed=NOW, settled=NOW + HOUR)


@pytest.mark.parametrize(("newest", "judged"), [(3, [3]), (4, [3]), (AMBIGUOUS, [3])])
def test_taken_back_and_ambiguous_versions_are_not_judged(newest, judged):
    from jobs.monitoring.model_quality import _versions_to_judge
    from jobs.monitoring.predictions import Predictions

    kept = np.repeat(np.asarray([3, newest], "int32"), 5)
    predicted = Predictions(np.arange(10, dtype="uint64"), kept, np.zeros(10, "int64"), np.zeros((10, 1)))
    assert _versions_to_judge(predicted, np.zeros(10), 3, live=3) == judged


def test_deleted_version_has_no_score_baseline(monkeypatch):
    from botocore.exceptions import ClientError

    def gone(**_: str) -> None:
        raise ClientError(
            {"Error": {"Code": "ValidationException", "Message": "does not exist"}}, "DescribeModelPackage"
        )

    monkeypatch.setattr(live_version.s3, "client", lambda name: type("Client", (), {"describe_model_package": gone}))
    assert live_version.score_baseline("arn:aws:sagemaker:r:1:model-package/g/4", 3) is None
