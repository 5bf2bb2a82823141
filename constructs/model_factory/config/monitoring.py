"""`monitoring` in model.yaml: the checks of live requests, their limits and their alarms."""

from pydantic import Field

from .fields import Duration, Fraction, InstanceType, Schedule, Section, TimeZone


class Drift(Section):
    """Limits of drift detection (docs/reference/drift.md); the defaults need no tuning."""

    effect: float = Field(
        default=0.07,
        gt=0,
        description="Smallest change that counts as drift: the shift of a mean, in standard deviations.",
    )
    false_alarm_rate: float = Field(
        default=0.0001,
        gt=0,
        le=0.05,
        description="Probability that a check reports drift by chance. With the default and hourly checks, this happens "
        "less than once a year.",
    )
    minimum_rows: int = Field(default=200, ge=30, description="Minimum number of rows of a check.")


class Quality(Section):
    """Evaluation of the deployed version with ground truth that arrives later (docs/reference/drift.md)."""

    window: Duration = Field(
        default="14d",
        validate_default=True,
        description="How far back predictions are evaluated; labels that arrive later are not used.",
    )
    minimum_labels: int = Field(default=200, ge=30, description="Minimum number of labelled records of an evaluation.")
    minimum_coverage: Fraction = Field(default=0.05, description="Minimum share of records with a label, from 0 to 1.")
    margin: float | None = Field(
        default=None,
        ge=0,
        description="How much worse than at its gate a deployed version may become, in units of the metric; null: only "
        "the limit of the gate applies.",
    )


class Monitoring(Section):
    """Schedule, limits and alarms of the monitor pipeline."""

    schedule: Schedule = Field(default="rate(1 hour)", description="EventBridge Scheduler expression.")
    timezone: TimeZone = Field(default="UTC", description="Time zone of the schedule, by its IANA name.")
    instance: InstanceType = Field(default="ml.m5.large", description="Instance type of the monitor job.")
    drift: Drift = Field(default=Drift(), description="Limits of drift detection.")
    quality: Quality = Field(default=Quality(), description="Evaluation with ground truth that arrives later.")
    max_data_violations: int = Field(
        default=0, ge=0, description="Number of violations of a check above which the data-violations alarm is raised."
    )
    max_age: Duration | None = Field(
        default=None,
        description="Age of the newest captured request above which it counts as a violation; null: twice the longest "
        "pause so far.",
    )
    max_bad_lines: Fraction = Field(
        default=0.05, description="Share of unreadable requests or lines above which the check fails, from 0 to 1."
    )
    alarm_periods: int = Field(
        default=1,
        ge=1,
        le=24,
        description="Number of checks with drift, among the last `evaluation_periods`, that raise the drift alarm.",
    )
    evaluation_periods: int = Field(
        default=1, ge=1, le=24, description="Number of most recent checks that the drift alarm evaluates."
    )
