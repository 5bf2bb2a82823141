"""Types of fields that both configuration files use: names, durations, schedules."""

import re
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_RATE = re.compile(r"rate\(([1-9]\d*) (minutes?|hours?|days?)\)")
_CRON = re.compile(r"cron\(([^()]+)\)")
_CRON_FIELDS = (
    ("minutes", r"[0-9*,/-]+"),
    ("hours", r"[0-9*,/-]+"),
    ("day of month", r"[0-9*,/?LW-]+"),
    ("month", r"[0-9A-Z*,/-]+"),
    ("day of week", r"[0-9A-Z*,/?L#-]+"),
    ("year", r"[0-9*,/-]+"),
)


class Section(BaseModel):
    """A mapping in a configuration file: unknown keys are mistakes, values are read-only after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _parse_duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip())
    if not match:
        raise ValueError(f"{value!r} is not a duration; write a number and a unit, such as 30s, 15m, 6h or 90d")
    return timedelta(**{_UNITS[match[2]]: float(match[1])})


def _check_timezone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"{value!r} is not a time zone; use a name of the IANA database, such as UTC or Europe/Berlin")
    return ZoneInfo(value).key


def _check_schedule(value: str) -> str:
    """EventBridge Scheduler's recurring forms: rate(value unit) and cron() with six fields."""
    if match := _RATE.fullmatch(value):
        number, unit = int(match[1]), match[2]
        if (number == 1) == unit.endswith("s"):
            raise ValueError(f"{value!r} is not a schedule; write rate(1 hour) but rate(2 hours)")
        return value
    match = _CRON.fullmatch(value)
    if not match:
        raise ValueError(
            f"{value!r} is not a schedule; write rate(1 hour) or cron(0 3 * * ? *): minutes, hours, day of month, "
            "month, day of week, year"
        )
    fields = match[1].split()
    if len(fields) != len(_CRON_FIELDS):
        raise ValueError(
            f"{value!r} is not a schedule: cron() has six fields, found {len(fields)}; such as cron(0 3 * * ? *)"
        )
    for (name, pattern), field in zip(_CRON_FIELDS, fields, strict=True):
        if not re.fullmatch(pattern, field):
            raise ValueError(f"{value!r} is not a schedule: {field!r} is not a valid {name}")
    if (fields[2] == "?") == (fields[4] == "?"):
        raise ValueError(f"{value!r} is not a schedule: exactly one of day of month and day of week must be ?")
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(_parse_duration),
    PlainSerializer(lambda value: value.total_seconds(), return_type=float),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*(s|m|h|d)$", "examples": ["15m", "6h", "90d"]}),
]
"""A length of time: 30s, 15m, 6h, 90d. Seconds (a float) when written as JSON."""

Schedule = Annotated[str, AfterValidator(_check_schedule)]
TimeZone = Annotated[str, AfterValidator(_check_timezone)]
Fraction = Annotated[float, Field(ge=0, le=1)]
# A SageMaker resource name has at most 63 characters, for factory, environment, model and part together.
ShortName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=20)]
ModelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=24)]
InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]

AccountId = Annotated[str, Field(pattern=r"^\d{12}$", description="AWS account id: twelve digits, in quotes.")]
Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="AWS region, such as eu-west-1.")]
