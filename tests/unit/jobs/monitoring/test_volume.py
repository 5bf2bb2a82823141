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
