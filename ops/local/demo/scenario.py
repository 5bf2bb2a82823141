"""The demo's input: one census year per day, then a day with an error in the data."""

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
    """One day: its records are uploaded with labels as training data, and sent without labels as requests."""

    number: int
    date: datetime
    traffic: str
    records: pd.DataFrame

    @property
    def partition(self) -> str:
        """Name of the day's partition in the data bucket."""
        return f"dt={self.date:%Y-%m-%d}"

    @property
    def name(self) -> str:
        """Prefix of the inference ids of the day's requests."""
        return f"day{self.number}"

    def at(self, hour: int) -> datetime:
        """An hour of the day, UTC."""
        return self.date + timedelta(hours=hour)


def days(folder: Path, today: datetime | None = None) -> list[Day]:
    """The demo's days from the samples in `folder` (<year>.parquet); the last one is the day before `today`.

    On the last day the age is in months instead of years, as after a change of unit in a source system.
    """
    midnight = (today or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0)
    years = {year: pd.read_parquet(folder / f"{year}.parquet") for year in YEARS}
    last = years[YEARS[-1]]
    # Every second record, because the files are sorted by the kind of household.
    parts = [(f"census {year}", years[year]) for year in YEARS[:-1]]
    parts.append((f"census {YEARS[-1]}", last.iloc[0::2]))
    parts.append(("age in months", last.iloc[1::2].assign(AGEP=lambda rows: rows["AGEP"] * 12)))
    first = midnight - timedelta(days=len(parts))
    return [
        Day(number, first + timedelta(days=number - 1), traffic, records.reset_index(drop=True))
        for number, (traffic, records) in enumerate(parts, 1)
    ]
