"""The search for a captured request."""

from datetime import UTC, datetime, timedelta

import pytest

from model_factory.ops.explanation import captures
from model_factory.ops.explanation.captures import Range
from model_factory.ops.project import UsageError

from .explained import DAY, NOW, line

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_unknown_id_names_search_reasons_and_nearest(prod):
    prod.capture([line("order-7", "1.5,red,-0.5\n", "0.5\n", 7)])
    with pytest.raises(UsageError) as raised:
        captures.find(prod, "churn", "order-8", Range(NOW - timedelta(days=100), NOW))
    message = str(raised.value)
    assert "no captured request of churn in prod has the inference id 'order-8'; searched: 1 objects from " in message
    assert "the nearest ids: order-7" in message
    assert "serving.capture_percent is 25: other requests are not captured" in message
    assert "captured requests are deleted after 90 days (captured_retention)" in message
    assert "a request of the last minutes may not be written yet" in message


def test_search_reads_only_its_hours_and_takes_newest(prod):
    prod.capture([line("a", "1,red,1\n", "0.1\n", 7, NOW - timedelta(hours=30))], NOW - timedelta(hours=30))
    prod.capture([line("a", "1,red,2\n", "0.2\n", 7)] * 2)
    found = captures.find(prod, "churn", "a", DAY)
    assert (found.answer, found.others) == ("0.2\n", 1)
    with pytest.raises(UsageError, match="searched: 0 objects"):
        captures.find(prod, "churn", "a", Range(NOW - timedelta(hours=12), NOW - timedelta(hours=6)))
    assert captures.find(prod, "churn", "event-a", DAY).version == 7


def test_copy_for_version_on_trial_is_forgotten_and_not_explained(prod):
    for version, variant in ((7, "AllTraffic"), (8, "Shadow")):
        prod.capture([line("a", "1,red,1\n", "0.1\n", version)], variant=variant)
    found = captures.find(prod, "churn", "a", DAY)
    assert (found.version, found.others) == (7, 0)
    assert len(list(captures.files_with(prod, "churn", "a", DAY))) == 2


@pytest.mark.parametrize(
    ("since", "day", "first"),
    [
        (None, None, NOON - timedelta(hours=24)),
        ("6h", None, NOON - timedelta(hours=6)),
        ("3d", None, NOON - timedelta(days=3)),
        ("2026-11-24T05:00", None, datetime(2026, 11, 24, 5, tzinfo=UTC)),
        (None, datetime(2026, 11, 24), datetime(2026, 11, 24, tzinfo=UTC)),
    ],
)
def test_range_is_a_day_or_since_a_time(since, day, first):
    assert captures.search_range(since, day, NOON).first == first


@pytest.mark.parametrize(("since", "reason"), [("soon", "is no time; give"), ("2027-01-01", "is not in the past")])
def test_range_that_cannot_be_searched_is_refused(since, reason):
    with pytest.raises(UsageError, match=reason):
        captures.search_range(since, None, NOON)
