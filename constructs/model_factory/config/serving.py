"""`serving` in model.yaml: the endpoint, its scaling and its deployments, and scoring in batches."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .fields import Duration, InstanceType, Schedule, Section, TimeZone, at_most


class Scaling(Section):
    """Number of instances of a realtime endpoint; a maximum above 1 adds target tracking."""

    minimum: int = Field(default=1, ge=1, description="Minimum number of instances.")
    maximum: int = Field(default=1, ge=1, description="Maximum number of instances.")
    invocations_per_instance: int = Field(
        default=500, ge=1, description="Target of the scaling policy: invocations per instance and minute."
    )

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")
        return self


class Canary(Section):
    """Traffic shifting of a deployment."""

    percent: int = Field(default=10, ge=1, le=50, description="Share of the instances of the first step, in percent.")
    bake: Annotated[Duration, at_most(timedelta(hours=1), "1h", "SageMaker (WaitIntervalInSeconds)")] = Field(
        default="10m", validate_default=True, description="Time for which the alarms are watched after each step."
    )


class Serverless(Section):
    """Size of a serverless endpoint."""

    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = Field(
        default=2048, description="Memory of the endpoint, in MB."
    )
    max_concurrency: int = Field(default=5, ge=1, le=200, description="Maximum number of concurrent invocations.")


class Async(Section):
    """Queue and number of instances of an asynchronous endpoint."""

    minimum: int = Field(
        default=0, ge=0, description="Minimum number of instances; 0: none while no request is in the queue."
    )
    maximum: int = Field(default=1, ge=1, description="Maximum number of instances.")
    backlog_per_instance: int = Field(
        default=5, ge=1, description="Target of the scaling policy: requests in the queue per instance."
    )
    concurrency: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Maximum number of requests that an instance processes at once; null: SageMaker chooses it.",
    )
    retention: Duration = Field(
        default="30d",
        validate_default=True,
        description="Age at which requests and answers are deleted, in whole days.",
    )

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")
        return self

    @model_validator(mode="after")
    def _retention_is_whole_days(self) -> Self:
        if self.retention < timedelta(days=1) or self.retention % timedelta(days=1):
            raise ValueError("retention must be whole days, such as 30d: S3's lifecycle rules have no other unit")
        return self


class Batch(Section):
    """Scoring of files: of all that land in the bucket with mode `batch`, and of those given to `model-factory score`."""

    on_data: bool = Field(
        default=True,
        description="With mode `batch`: score new objects below `<model>/scoring/` of the data bucket, five minutes after the "
        "first of them.",
    )
    schedule: Schedule | None = Field(
        default=None,
        description="With mode `batch`: EventBridge Scheduler expression, at which objects that are not scored yet are; null: no "
        "schedule.",
    )
    timezone: TimeZone = Field(default="UTC", description="Time zone of the schedule, by its IANA name.")
    instance: InstanceType = Field(default="ml.m5.xlarge", description="Instance type of the job that scores.")
    format: Literal["parquet", "csv", "jsonl"] = Field(default="parquet", description="Format of the predictions.")
    labels: bool = Field(
        default=False,
        description="Whether predictions have the label and the score of each class as columns of their own.",
    )
    id_column: str | None = Field(
        default=None,
        description="Column of `data.ignore` that identifies a row: `inference_id` of its prediction, to which labels refer. "
        "Default: a digest of the object and the row's number.",
    )


class Challenger(Section):
    """A trial of each new approved version against the live one, before it takes all requests."""

    mode: Literal["shadow", "split"] = Field(
        description="`shadow`: the new version gets copies of the requests, and its answers reach nobody. `split`: it answers a "
        "share of the requests."
    )
    percent: int = Field(
        default=100, ge=1, le=100, description="Share of the requests that are copied, or that the new version answers."
    )
    minimum_labels: int = Field(
        default=200,
        ge=30,
        description="Number of labelled records of each version with which the versions are compared.",
    )
    limit: Duration = Field(
        default="7d", validate_default=True, description="Time after which a trial without enough labels ends."
    )
    undecided: Literal["withdraw", "promote"] = Field(
        default="withdraw", description="What becomes of the new version when a trial ends without enough labels."
    )

    @model_validator(mode="after")
    def _share_is_a_part(self) -> Self:
        if self.mode == "split" and self.percent > 50:
            raise ValueError("mode `split` needs percent: write the share of the new version, at most 50")
        return self


_UNCAPTURED = {"serverless": "serverless", "async": "asynchronous"}
"""Kinds of endpoints without data capture, by mode. The developer guide, 'Data capture', has real-time endpoints and batch
transform jobs; 'Serverless Inference' excludes it, and the pages of Asynchronous Inference do not have it."""


class Serving(Section):
    """The endpoint, or scoring in batches without one."""

    mode: Literal["realtime", "serverless", "async", "batch"] = Field(
        default="realtime",
        description="Kind of endpoint; `async`: requests wait in a queue, answers are objects in S3; `batch`: none, files are "
        "scored in jobs.",
    )
    instance: InstanceType = Field(
        default="ml.m5.large", description="Instance type of a realtime or asynchronous endpoint."
    )
    scaling: Scaling = Field(default=Scaling(), description="Number of instances of a realtime endpoint.")
    canary: Canary = Field(default=Canary(), description="Traffic shifting of a deployment.")
    serverless: Serverless = Field(default=Serverless(), description="Size of a serverless endpoint.")
    async_: Async = Field(default=Async(), alias="async", description="Queue and scaling of an asynchronous endpoint.")
    capture_percent: int = Field(
        default=100, ge=0, le=100, description="Share of the requests that are captured for monitoring, in percent."
    )
    batch: Batch = Field(default=Batch(), description="Scoring of files, of models with any mode.")
    challenger: Challenger | None = Field(
        default=None,
        description="Trial of each new approved version on live requests; null: it is deployed at once.",
    )
    max_errors_per_minute: int = Field(
        default=5, ge=1, description="Number of 5XX responses per minute above which a deployment is rolled back."
    )
    max_latency: Duration = Field(
        default="1s", validate_default=True, description="p99 model latency above which a deployment is rolled back."
    )
    invalid_values: Literal["answer", "refuse"] = Field(
        default="answer",
        description="Values outside of `minimum`, `maximum` and `values` of the schema: answered and counted by the monitor as "
        "violations, or refused with status 400.",
    )

    @model_validator(mode="after")
    def _unmonitored_is_said(self) -> Self:
        kind = _UNCAPTURED.get(self.mode)
        if kind and self.capture_percent:
            raise ValueError(
                f"SageMaker captures no requests of {kind} endpoints, so drift and quality of the model are not monitored; "
                "write capture_percent: 0 to accept that, or choose mode `realtime`, or `batch` for files"
            )
        return self

    @model_validator(mode="after")
    def _sections_fit_mode(self) -> Self:
        written = self.model_fields_set
        if self.mode == "async" and "scaling" in written:
            raise ValueError(
                "scaling is for mode `realtime`, and mode is `async`; write async.minimum and async.maximum"
            )
        if self.mode == "async" and "percent" in self.canary.model_fields_set:
            raise ValueError(
                "canary.percent is for mode `realtime`, and mode is `async`: all instances read from one queue, so the whole "
                "fleet changes at once; remove it"
            )
        if self.mode != "async" and "async_" in written:
            raise ValueError(f"async is for mode `async`, and mode is `{self.mode}`; remove it")
        return self

    @model_validator(mode="after")
    def _trial_can_be_judged(self) -> Self:
        if self.challenger is None:
            return self
        if self.mode != "realtime":
            raise ValueError(
                f"challenger is for mode `realtime`, and mode is `{self.mode}`: SageMaker runs no trials there"
            )
        if self.capture_percent < 100:
            raise ValueError(
                "challenger needs capture_percent: 100, because versions are compared by the captured answers of both"
            )
        return self

    @model_validator(mode="after")
    def _batch_is_started(self) -> Self:
        if self.mode == "batch" and not self.batch.on_data and not self.batch.schedule:
            raise ValueError("mode `batch` needs batch.on_data or batch.schedule: nothing would start a run")
        if self.mode != "batch" and self.batch.schedule:
            raise ValueError(f"batch.schedule is for mode `batch`, and mode is `{self.mode}`; remove it")
        return self
