"""What happens on which day: real census years as days, then a day whose feed is broken."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

MODEL = "employment"
ENVIRONMENT = "prod"
YEARS = (2015, 2016, 2017, 2018)
RETRAIN_HOUR, MONITOR_HOUR = 3, 12


@dataclass(frozen=True)
class Day:
    """One day: the records that land labelled in the data bucket, and the same people as unlabelled requests."""

    number: int
    date: datetime
    what: str
    records: pd.DataFrame

    @property
    def partition(self) -> str:
        """Name of the day's partition in the data bucket."""
        return f"dt={self.date:%Y-%m-%d}"

    @property
    def name(self) -> str:
        """What its requests are called; their labels come the day after."""
        return f"day{self.number}"

    def at(self, hour: int) -> datetime:
        """That hour of the day, UTC."""
        return self.date + timedelta(hours=hour)


def days(folder: Path, today: datetime | None = None) -> list[Day]:
    """The story from the yearly samples in `folder` (<year>.parquet): the last day is yesterday.

    The broken day has people of the last year with the age in months, as after a change of unit upstream.
    """
    midnight = (today or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0)
    years = {year: pd.read_parquet(folder / f"{year}.parquet") for year in YEARS}
    last = years[YEARS[-1]]
    # Every second record: the census's files are sorted by the kind of household.
    parts = [(f"census {year}", years[year]) for year in YEARS[:-1]]
    parts.append((f"census {YEARS[-1]}", last.iloc[0::2]))
    parts.append(("age in months", last.iloc[1::2].assign(AGEP=lambda rows: rows["AGEP"] * 12)))
    first = midnight - timedelta(days=len(parts))
    return [
        Day(number, first + timedelta(days=number - 1), what, records.reset_index(drop=True))
        for number, (what, records) in enumerate(parts, 1)
    ]
