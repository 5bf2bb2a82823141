"""Volume and freshness, compared with the days before."""

from datetime import UTC, date, datetime, timedelta

import pytest

from jobs.monitoring.volume import KEPT_DAYS, Volume

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR, DAY = 3600.0, 86400.0


def days(*rows: int, until: date = TODAY - timedelta(days=1)) -> Volume:
    """Days with so many rows, the last of them `until`."""
    volume = Volume()
    for back, count in enumerate(reversed(rows)):
        volume.add(until - timedelta(days=back), count)
    return volume


def texts(findings) -> list[str]:
    found = list(findings)
    assert all(finding.violation for finding in found)
    return [finding.text for finding in found]


def test_usual_week_has_no_finding():
    volume = days(900, 1100, 1000, 950, 1000, 300, 2500, 1000)
    volume.add(TODAY, 20)
    assert texts(volume.unusual(TODAY, HOUR)) == []


def test_few_rows_today_are_a_violation_only_with_daily_checks():
    volume = days(*[1000] * 8)
    volume.add(TODAY, 20)
    assert texts(volume.unusual(TODAY, HOUR)) == []
    assert texts(volume.unusual(TODAY, DAY)) == ["20 rows on 2026-11-24; most days have about 1,000"]


def test_nearly_empty_day_is_reported_when_it_is_over():
    assert texts(days(*[1000] * 8, 20).unusual(TODAY, HOUR)) == ["20 rows on 2026-11-23; most days have about 1,000"]


def test_day_without_rows_is_counted():
    volume = days(*[1000] * 8, until=TODAY - timedelta(days=2))
    assert texts(volume.unusual(TODAY, HOUR)) == ["0 rows on 2026-11-23; most days have about 1,000"]


def test_too_many_rows_are_reported_the_same_day():
    volume = days(*[1000] * 8)
    volume.add(TODAY, 11_000)
    assert texts(volume.unusual(TODAY, HOUR)) == ["11,000 rows on 2026-11-24; most days have about 1,000"]


@pytest.mark.parametrize(("rows", "is_unusual"), [(99, True), (100, False), (10_000, False), (10_001, True)])
def test_day_is_usual_from_a_tenth_to_ten_times_the_median(rows, is_unusual):
    before = days(*[1000] * 8)
    before.add(TODAY, rows)
    assert bool(texts(before.unusual(TODAY, DAY))) is is_unusual
    assert bool(texts(days(*[1000] * 8, rows).unusual(TODAY, HOUR))) is is_unusual


@pytest.mark.parametrize(("known", "is_judged"), [(6, False), (7, True)])
def test_day_is_judged_after_a_week_of_traffic(known, is_judged):
    today = days(*[1000] * known)
    today.add(TODAY, 1)
    assert bool(texts(today.unusual(TODAY, DAY))) is is_judged
    assert bool(texts(days(*[1000] * known, 1).unusual(TODAY, HOUR))) is is_judged
    assert bool(texts(days(*[1000] * known).stale(NOW - timedelta(days=9), NOW, HOUR, None))) is is_judged


def test_day_is_compared_with_the_days_before_it():
    """Of eight days, of which the last has no part in the median."""
    assert texts(days(*[10] * 4, *[1000] * 3, 101).unusual(TODAY, HOUR)) == [
        "101 rows on 2026-11-23; most days have about 10"
    ]


def test_rows_of_a_day_add_up_and_none_are_no_day():
    volume = days(5)
    volume.add(TODAY, 3)
    volume.add(TODAY, 4)
    volume.add(TODAY + timedelta(days=1), 0)
    assert volume.days == {"2026-11-23": 5, "2026-11-24": 7}
    assert volume.before(TODAY + timedelta(days=2)) == [5, 7, 0]
    assert Volume().before(TODAY) == []


def test_requests_are_stale_when_older_than_the_limit():
    def found(seconds, interval, max_age):
        return texts(days(*[1000] * 8).stale(NOW - timedelta(seconds=seconds), NOW, interval, max_age))

    assert (found(7200, HOUR, 7200.0), len(found(7201, HOUR, 7200.0))) == ([], 1)
    # By default no sooner than two runs of the monitor.
    assert (found(4 * DAY, 2 * DAY, None), len(found(4 * DAY + 1, 2 * DAY, None))) == ([], 1)
    assert texts(days(*[1000] * 8).stale(None, NOW, HOUR, 1.0)) == []
    assert texts(days(1000).stale(NOW - timedelta(days=9), NOW, HOUR, None)) == []


def test_first_days_have_no_findings():
    volume = days(*[1000] * 5)
    volume.add(TODAY, 1)
    assert texts(volume.unusual(TODAY, DAY)) == []
    assert texts(volume.stale(NOW - timedelta(days=9), NOW, HOUR, None)) == []


@pytest.mark.parametrize(("hours", "is_stale"), [(40, False), (50, True)])
def test_requests_are_stale_after_twice_the_longest_pause(hours, is_stale):
    found = texts(days(*[1000] * 8).stale(NOW - timedelta(hours=hours), NOW, HOUR, None))
    assert found == ([f"the newest request is {hours}.0 h old, more than 48.0 h"] if is_stale else [])


def test_weekends_without_requests_are_not_stale_on_monday():
    weekends = days(1000, 1000, 1000, 1000, 1000, 0, 0, 1000, 1000, 1000, 1000, 1000, until=date(2026, 11, 20))
    monday = datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert texts(weekends.stale(datetime(2026, 11, 20, 17, tzinfo=UTC), monday, HOUR, None)) == []
    assert len(texts(weekends.stale(datetime(2026, 11, 20, 17, tzinfo=UTC), monday, HOUR, max_age=DAY))) == 1


def test_last_days_are_kept_and_read_back():
    volume = days(*range(1, 50))
    assert len(volume.days) == KEPT_DAYS
    assert Volume.from_report({"volume": volume.days}) == volume
    assert Volume.from_report(None) == Volume()
