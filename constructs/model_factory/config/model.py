"""`model.yaml`: the configuration of one model. Only name, problem, data.label and gate have no default."""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from ..core.names import FOUNDATION
from ..core.schedules import interval
from .fields import Duration, Fraction, ModelName, Schedule, Section, TimeZone
from .monitoring import Monitoring
from .pipeline import OwnPipeline
from .serving import Serving
from .training import Training

Problem = Literal["binary_classification", "multiclass_classification", "regression"]

METRICS: dict[str, dict[str, bool]] = {
    "binary_classification": {
        "auc": True, "accuracy": True, "f1": True, "precision": True, "recall": True,
        "average_precision": True, "log_loss": False, "brier": False,
    },
    "multiclass_classification": {"accuracy": True, "f1_macro": True, "log_loss": False},
    "regression": {"rmse": False, "mae": False, "r2": True},
}  # fmt: skip
"""Metrics by problem; True where a higher value is better."""


class Column(Section):
    """Constraints on the values of one raw column. Prepare fails when data violates them; live requests are counted."""

    type: Literal["integer", "number", "string", "boolean", "timestamp"] = Field(description="Type of the values.")
    minimum: float | None = Field(default=None, description="Smallest allowed number.")
    maximum: float | None = Field(default=None, description="Largest allowed number.")
    values: list[str | int | float | bool] | None = Field(default=None, description="The only values allowed.")
    nullable: bool = Field(default=True, description="Whether the value may be missing.")
    max_null_fraction: Fraction = Field(
        default=1.0, description="Largest allowed share of missing values, from 0 to 1."
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
    """Format, label and columns of the raw data."""

    label: str = Field(description="The column to predict.")
    format: Literal["csv", "parquet"] = Field(default="csv", description="Format of the raw files.")
    schema_: dict[str, Column] = Field(
        default_factory=dict,
        alias="schema",
        description="Constraints by column. Columns that are not listed have none.",
    )
    time_column: str | None = Field(
        default=None, description="Column with the time of the event. It is never a feature."
    )
    ignore: list[str] = Field(default_factory=list, description="Columns that are neither features nor label.")

    @model_validator(mode="after")
    def _label_is_not_ignored(self) -> Self:
        if self.label in self.ignore or self.label == self.time_column:
            raise ValueError(f"label {self.label!r} cannot also be ignored or the time column")
        return self


class Gate(Section):
    """Conditions that a new version must meet to be registered."""

    metric: str = Field(description="The metric that is compared; the problem decides which ones there are.")
    minimum: float | None = Field(default=None, description="Lowest accepted value of a metric such as auc.")
    maximum: float | None = Field(default=None, description="Highest accepted value of an error metric such as rmse.")
    champion_margin: float = Field(
        default=0.0,
        ge=0,
        description=(
            "How much worse than the deployed version a new one may be, in units of the metric. It is rejected when the whole "
            "95 % interval of the difference on the test rows is beyond it."
        ),
    )


class Retrain(Section):
    """When a model is trained again."""

    schedule: Schedule | None = Field(
        default="cron(0 3 * * ? *)", description="EventBridge Scheduler expression; null: no schedule."
    )
    timezone: TimeZone = Field(default="UTC", description="Time zone of the schedule, by its IANA name.")
    on_drift: bool = Field(default=True, description="Train when the drift alarm changes to ALARM.")
    on_quality: bool = Field(default=True, description="Train when the model-quality alarm changes to ALARM.")
    max_failures: int = Field(
        default=1,
        ge=1,
        description="Consecutive failures of trainings started by drift or quality, after which these alarms start no "
        "more until a training succeeds.",
    )
    cooldown: Duration = Field(
        default="6h", validate_default=True, description="Minimum time between automatic trainings."
    )
    window: int | None = Field(
        default=None, ge=1, description="Number of newest dt= partitions to train on; null: all."
    )


class Report(Section):
    """What the report of a version says besides its measurements."""

    groups: list[str] = Field(
        default_factory=list[str],
        max_length=10,
        description="Raw columns by whose values the test rows are grouped, such as `[SEX]`: the gate's metric is measured for "
        "each group. Default: none.",
    )
    intended_use: str = Field(default="", max_length=2000, description="What the model is for.")
    limits_of_use: str = Field(
        default="", max_length=2000, description="What the model must not be used for, and its known limits."
    )


class ModelConfig(Section):
    """One model."""

    name: ModelName = Field(description="Name of the model and of its folder; part of every resource name.")
    problem: Problem = Field(description="Kind of prediction.")
    description: str = Field(
        default="", max_length=1024, description="Description of the model package group, on one line."
    )
    promote: Literal["code", "model"] = Field(
        default="code",
        description="What is promoted from environment to environment: `code`, which is trained in each environment on "
        "its own data, or `model`: a version trained in the first environment is registered in the next ones unchanged.",
    )
    data: Data = Field(description="Format, label and columns of the raw data.")
    training: Training = Field(default=Training(), description="The jobs of the training pipeline.")
    gate: Gate | None = Field(
        description="Conditions that a new version must meet to be registered. A model with a pipeline.py has none: its "
        "pipeline's own conditions decide.",
    )
    pipeline: OwnPipeline | None = Field(
        default=None, description="For models with a pipeline.py: arguments and parameters of that pipeline."
    )
    retrain: Retrain = Field(default=Retrain(), description="When the model is trained again.")
    serving: Serving = Field(default=Serving(), description="The endpoint.")
    monitoring: Monitoring = Field(
        default=Monitoring(), description="Schedule, limits and alarms of the monitor pipeline."
    )
    report: Report = Field(default=Report(), description="Groups and texts of the report of a version.")

    @field_validator("description")
    @classmethod
    def _description_is_one_line(cls, value: str) -> str:
        value = value.strip()
        if not value.isprintable():
            raise ValueError(
                "SageMaker accepts descriptions on one line only; write `description: >-` above several lines"
            )
        return value

    @model_validator(mode="after")
    def _name_is_free(self) -> Self:
        if self.name == FOUNDATION:
            raise ValueError(
                f"name {self.name!r} is reserved for the stack of an environment's shared resources; choose another"
            )
        return self

    @model_validator(mode="after")
    def _gate_fits_problem(self) -> Self:
        gate, known = self.gate, METRICS[self.problem]
        if self.pipeline is not None:
            return self._has_no_gate()
        if gate is None:
            raise ValueError("'gate' is missing; it is required")
        if gate.metric not in known:
            raise ValueError(
                f"gate.metric {gate.metric!r} is not a metric of {self.problem}; choose one of {', '.join(known)}"
            )
        more_is_better = known[gate.metric]
        wanted, other = ("minimum", "maximum") if more_is_better else ("maximum", "minimum")
        if getattr(gate, wanted) is None or getattr(gate, other) is not None:
            better = "higher" if more_is_better else "lower"
            raise ValueError(f"gate needs `{wanted}` and not `{other}`: a {better} {gate.metric} is better")
        return self

    def _has_no_gate(self) -> Self:
        """Conditions of model.yaml would not be applied: the pipeline registers what its own conditions let pass."""
        if self.gate is not None:
            raise ValueError("gate is for models with a model.py; conditions of pipeline.py decide here, so remove it")
        if self.serving.challenger:
            raise ValueError(
                "serving.challenger is decided by the monitor, and models with a pipeline.py have none; remove it"
            )
        if self.serving.mode == "batch":
            raise ValueError(
                "serving.mode `batch` runs features and predict of a model.py, and this model has a pipeline.py; choose "
                "realtime, serverless or async, or score in a step of the pipeline"
            )
        return self

    @model_validator(mode="after")
    def _instances_are_of_the_training_step(self) -> Self:
        if self.pipeline is not None and self.training.instance_count > 1:
            raise ValueError(
                "training.instance_count is for models with a model.py; the steps of pipeline.py have their own"
            )
        return self

    @model_validator(mode="after")
    def _tuning_fits_problem(self) -> Self:
        if self.training.tuning is None:
            return self
        if self.pipeline is not None:
            raise ValueError("training.tuning is for models with a model.py; pipeline.py has a tuning step of its own")
        metric, known = self.tuning_metric, METRICS[self.problem]
        if metric not in known:
            raise ValueError(
                f"training.tuning.metric {metric!r} is not a metric of {self.problem}; choose one of {', '.join(known)}"
            )
        return self

    @model_validator(mode="after")
    def _columns_have_their_use(self) -> Self:
        column = self.serving.batch.id_column
        if column is not None and column not in self.data.ignore:
            raise ValueError(f"serving.batch.id_column {column!r} must be one of data.ignore: an id is no feature")
        if self.data.label in self.report.groups:
            raise ValueError(f"report.groups has the label {self.data.label!r}; name columns that the model reads")
        return self

    @model_validator(mode="after")
    def _trial_ends_within_window(self) -> Self:
        challenger, window = self.serving.challenger, self.monitoring.quality.window
        if challenger and challenger.limit > window:
            raise ValueError(
                f"serving.challenger.limit {challenger.limit} is longer than monitoring.quality.window {window}: labels of older "
                "requests are not used"
            )
        return self

    @property
    def more_is_better(self) -> bool:
        """Whether a higher value of the gate's metric is better."""
        return self.is_better_higher(self.required_gate.metric)

    @property
    def required_gate(self) -> Gate:
        """The gate of a model with a model.py. Raises ValueError for a model with a pipeline.py, which has none."""
        if self.gate is None:
            raise ValueError(f"model {self.name!r} has no gate: its pipeline.py decides which versions are registered")
        return self.gate

    def is_better_higher(self, metric: str) -> bool:
        """Whether a higher value of a metric of this problem is better."""
        return METRICS[self.problem][metric]

    @property
    def tuning_metric(self) -> str:
        """Metric by which tuning chooses the best hyperparameters."""
        tuning = self.training.tuning
        return (tuning.metric if tuning else None) or self.required_gate.metric

    def settings(self) -> dict[str, Any]:
        """The JSON that jobs and the serving module read, with all defaults; durations are in seconds."""
        settings = self.model_dump(mode="json", by_alias=True)
        if self.serving.mode != "async":
            del settings["serving"]["async"]  # jobs of other models do not change because there is another mode
        settings["monitoring"]["interval_seconds"] = interval(self.monitoring.schedule).total_seconds()
        return settings
