"""`model.yaml`: what a data scientist says about one model; only name, problem, data.label and gate have no default."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from ..core.schedules import interval
from .fields import Duration, Fraction, InstanceType, ModelName, Schedule, Section, TimeZone

Problem = Literal["binary_classification", "multiclass_classification", "regression"]

METRICS: dict[str, dict[str, bool]] = {
    "binary_classification": {
        "auc": True, "accuracy": True, "f1": True, "precision": True, "recall": True,
        "average_precision": True, "log_loss": False, "brier": False,
    },
    "multiclass_classification": {"accuracy": True, "f1_macro": True, "log_loss": False},
    "regression": {"rmse": False, "mae": False, "r2": True},
}  # fmt: skip
"""Quality measures by problem; True where more is better."""


class Column(Section):
    """What the values of one raw column must be. A batch that breaks it fails Prepare; live it is a violation."""

    type: Literal["integer", "number", "string", "boolean", "timestamp"]
    minimum: float | None = None
    maximum: float | None = None
    values: list[str | int | float | bool] | None = Field(default=None, description="The only values allowed.")
    nullable: bool = Field(default=True, description="Whether the value may be missing.")
    max_null_fraction: Fraction = Field(
        default=1.0, description="Share of missing values above which the data is refused."
    )

    @model_validator(mode="after")
    def _range(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum:g} is above maximum {self.maximum:g}")
        for bound in ("minimum", "maximum"):
            if getattr(self, bound) is not None and self.type not in ("integer", "number"):
                raise ValueError(f"{bound} is for numbers; a {self.type} has none")
        return self


class Data(Section):
    """Where the label is and what the raw columns look like."""

    label: str = Field(description="The column to predict.")
    format: Literal["csv", "parquet"] = "csv"
    schema_: dict[str, Column] = Field(default_factory=dict, alias="schema")
    time_column: str | None = Field(default=None, description="Column with the time of the event, never a feature.")
    ignore: list[str] = Field(default_factory=list, description="Columns that are neither features nor label.")

    @model_validator(mode="after")
    def _label_is_not_ignored(self) -> Self:
        if self.label in self.ignore or self.label == self.time_column:
            raise ValueError(f"label {self.label!r} cannot also be ignored or the time column")
        return self


class Training(Section):
    """The jobs of the training pipeline."""

    image: str | None = Field(
        default=None, description="Container image URI; default: AWS's scikit-learn image of the region."
    )
    instance: InstanceType = "ml.m5.xlarge"
    volume_gb: int = Field(default=30, ge=1, le=16384)
    max_runtime: Duration = Field(default="1h", validate_default=True)
    hyperparameters: dict[str, bool | int | float | str] = Field(default_factory=dict)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    validation_fraction: float = Field(default=0.15, gt=0, lt=0.5)
    test_fraction: float = Field(default=0.15, gt=0, lt=0.5)


class Gate(Section):
    """What a new version must reach before it is registered."""

    metric: str
    minimum: float | None = None
    maximum: float | None = Field(default=None, description="For measures where less is better, such as rmse.")
    champion_margin: float = Field(
        default=0.0, ge=0, description="How much worse than the live version is still accepted."
    )


class Retrain(Section):
    """When a model is trained again."""

    schedule: Schedule | None = Field(
        default="cron(0 3 * * ? *)", description="EventBridge Scheduler expression; null: never."
    )
    timezone: TimeZone = "UTC"
    on_drift: bool = True
    on_quality: bool = Field(default=True, description="Train when late labels show the live version to be too bad.")
    max_failures: int = Field(
        default=1,
        ge=1,
        description="Trainings asked for by drift or quality that may fail in a row; then these alarms start no more "
        "until some training succeeds.",
    )
    cooldown: Duration = Field(
        default="6h", validate_default=True, description="Shortest time between automatic trainings."
    )
    window: int | None = Field(default=None, ge=1, description="Newest dt= partitions to train on; null: all.")


class Scaling(Section):
    """Instances behind a realtime endpoint; more than one turns on target tracking."""

    minimum: int = Field(default=1, ge=1)
    maximum: int = Field(default=1, ge=1)
    invocations_per_instance: int = Field(
        default=500, ge=1, description="Invocations per instance and minute to aim at."
    )

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")
        return self


class Canary(Section):
    """How traffic moves to a new version."""

    percent: int = Field(default=10, ge=1, le=50)
    bake: Duration = Field(
        default="10m", validate_default=True, description="How long alarms are watched before going on."
    )


class Serverless(Section):
    """Size of a serverless endpoint."""

    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    max_concurrency: int = Field(default=5, ge=1, le=200)


class Serving(Section):
    """How the model answers requests."""

    mode: Literal["realtime", "serverless"] = "realtime"
    instance: InstanceType = "ml.m5.large"
    scaling: Scaling = Scaling()
    canary: Canary = Canary()
    serverless: Serverless = Serverless()
    capture_percent: int = Field(default=100, ge=0, le=100, description="Share of requests kept for monitoring.")
    max_errors_per_minute: int = Field(default=5, ge=1, description="5XX answers a minute that roll a deployment back.")
    max_latency: Duration = Field(
        default="1s", validate_default=True, description="p99 model latency that rolls a deployment back."
    )


class Drift(Section):
    """Limits of docs/reference/drift.md; the defaults need no tuning."""

    effect: float = Field(
        default=0.07,
        gt=0,
        description="Smallest change that matters: a mean that moves by so many standard deviations.",
    )
    false_alarm_rate: float = Field(
        default=0.0001,
        gt=0,
        le=0.05,
        description="Share of whole checks that may alarm by chance; the default is less than once a year, checked every hour.",
    )
    minimum_rows: int = Field(default=200, ge=30, description="Rows below which nothing is decided.")


class Quality(Section):
    """When labels that came late judge the live version (docs/reference/drift.md)."""

    window: Duration = Field(
        default="14d", validate_default=True, description="How late labels may come: so far back answers are judged."
    )
    minimum_labels: int = Field(default=200, ge=30, description="Labelled records below which nothing is judged.")
    minimum_coverage: Fraction = Field(
        default=0.05, description="Share of the records with a label below which nothing is judged."
    )
    margin: float | None = Field(
        default=None,
        ge=0,
        description="How much worse than at its gate a version may be in service; null: the gate's own limit is enough.",
    )


class Monitoring(Section):
    """How often the live model is watched and what raises its alarms."""

    schedule: Schedule = "rate(1 hour)"
    timezone: TimeZone = "UTC"
    drift: Drift = Drift()
    quality: Quality = Quality()
    max_data_violations: int = Field(default=0, ge=0)
    max_age: Duration | None = Field(
        default=None,
        description="Age of the newest captured request that is a violation; null: twice the longest pause there was.",
    )
    max_bad_lines: Fraction = Field(
        default=0.05, description="Share of unreadable requests or lines above which the check fails."
    )
    alarm_periods: int = Field(
        default=1, ge=1, le=24, description="Drifted checks (of evaluation_periods) that raise the alarm."
    )
    evaluation_periods: int = Field(default=1, ge=1, le=24)


class ModelConfig(Section):
    """One model."""

    name: ModelName
    problem: Problem
    description: str = ""
    promote: Literal["code", "model"] = Field(
        default="code",
        description="What goes from environment to environment: `code`, which each trains on its own data, or `model`: "
        "the version that the first one trained is registered in the next as it is, and nothing is trained there.",
    )
    data: Data
    training: Training = Training()
    gate: Gate
    retrain: Retrain = Retrain()
    serving: Serving = Serving()
    monitoring: Monitoring = Monitoring()

    @model_validator(mode="after")
    def _gate_fits_problem(self) -> Self:
        gate, known = self.gate, METRICS[self.problem]
        if gate.metric not in known:
            raise ValueError(
                f"gate.metric {gate.metric!r} is no measure of {self.problem}; choose one of {', '.join(known)}"
            )
        more_is_better = known[gate.metric]
        wanted, other = ("minimum", "maximum") if more_is_better else ("maximum", "minimum")
        if getattr(gate, wanted) is None or getattr(gate, other) is not None:
            better = "more" if more_is_better else "less"
            raise ValueError(f"gate needs `{wanted}` and not `{other}`: {better} {gate.metric} is better")
        return self

    @property
    def more_is_better(self) -> bool:
        return METRICS[self.problem][self.gate.metric]

    def settings(self) -> dict[str, Any]:
        """The JSON that jobs and the serving module read: every default resolved, durations in seconds."""
        settings = self.model_dump(mode="json", by_alias=True)
        settings["monitoring"]["interval_seconds"] = interval(self.monitoring.schedule).total_seconds()
        return settings
