"""The section `training` of model.yaml: image, instances, capacity, limits and hyperparameters of the training pipeline."""

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from ..core.image import default_image_uri
from . import hyperparameters
from .fields import Duration, InstanceType, Section, at_most
from .tuning import Tuning

_MOST_HYPERPARAMETERS = 97
"""SageMaker takes 100, and three of a tuning job's are not the model's."""


class Training(Section):
    """The jobs of the training pipeline."""

    framework: Literal["scikit-learn", "xgboost"] = Field(
        default="scikit-learn",
        description="The image of AWS's for jobs and endpoint, in the version that the library uses.",
    )
    image: str | None = Field(
        default=None,
        max_length=255,
        description="URI of a container image in Amazon ECR for jobs and endpoint. Default: AWS's image of the framework.",
    )
    instance: InstanceType = Field(default="ml.m5.xlarge", description="Instance type of the training job.")
    instance_count: int = Field(
        default=1,
        ge=1,
        le=16,
        description="Number of instances of the training job, for a model.py that divides the work among `hosts`.",
    )
    processing_instance: InstanceType | None = Field(
        default=None,
        description="Instance type of the jobs Prepare and Evaluate. Default: that of the training job, or ml.m5.xlarge "
        "when it has an accelerator or is no instance type of processing jobs.",
    )
    volume_gb: int = Field(default=30, ge=1, le=16384, description="Size of each job's volume, in GB.")
    max_runtime: Annotated[
        Duration,
        at_most(timedelta(days=9), "9d", "SageMaker for processing jobs", at_least=timedelta(seconds=1)),
    ] = Field(default="1h", validate_default=True, description="Time after which SageMaker stops a job.")
    spot: bool = Field(
        default=False,
        description="Train on spot capacity, which costs less and may be interrupted; SageMaker starts the job again, with the "
        "checkpoints that `train` wrote.",
    )
    max_wait: Annotated[Duration, at_most(timedelta(days=28), "28d", "SageMaker for training jobs")] | None = Field(
        default=None,
        description="Time that a training on spot capacity may take, with waiting for capacity. Default: twice `max_runtime`.",
    )
    keep_alive: Annotated[Duration, at_most(timedelta(hours=1), "1h", "SageMaker for warm pools")] | None = Field(
        default=None,
        description="Time that the instance of a training is kept for the next one, and billed. Default: it is not kept.",
    )
    hyperparameters: dict[str, bool | int | float | str] = Field(
        default_factory=dict, max_length=100, description="Passed to `train` in model.py."
    )
    tuning: Tuning | None = Field(
        default=None, description="A search for good hyperparameters before each training. Default: none."
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="Seed of the random number generators.")
    validation_fraction: float = Field(default=0.15, gt=0, lt=0.5, description="Share of the rows for validation.")
    test_fraction: float = Field(default=0.15, gt=0, lt=0.5, description="Share of the rows for evaluation.")

    @field_validator("hyperparameters")
    @classmethod
    def _hyperparameters_fit_sagemaker(cls, values: dict[str, bool | int | float | str]) -> Any:
        for name, value in values.items():
            for what, length, limit in (("name", len(name), 256), ("value", len(hyperparameters.text(value)), 2500)):
                if length > limit:
                    raise ValueError(f"the {what} of {name[:40]!r} has {length} characters, SageMaker allows {limit}")
        return values

    @model_validator(mode="after")
    def _capacity_fits_together(self) -> Self:
        if self.max_wait is not None and not self.spot:
            raise ValueError("max_wait is for `spot: true`; remove it, or add spot")
        if self.spot and self.longest_wait < self.max_runtime:
            raise ValueError(
                f"max_wait {self.longest_wait} is shorter than max_runtime {self.max_runtime}, which SageMaker refuses: it is "
                "the time of the training with the waiting for spot capacity"
            )
        if self.spot and self.keep_alive:
            raise ValueError("SageMaker keeps no spot instances; remove keep_alive, or spot")
        return self

    @model_validator(mode="after")
    def _several_instances_train_once(self) -> Self:
        if self.instance_count > 1 and self.spot:
            raise ValueError(
                "spot and an instance_count above 1 exclude each other here: the end of one instance ends the training on all, "
                "and their checkpoints have one folder in S3; remove spot, or train on one instance"
            )
        if self.instance_count > 1 and self.tuning:
            raise ValueError(
                "tuning and an instance_count above 1 exclude each other here: every trial would need all instances, and "
                "SageMaker reads its metric from the output of each; remove tuning, or train on one instance"
            )
        return self

    @model_validator(mode="after")
    def _hyperparameters_are_fixed_or_tuned(self) -> Self:
        ranges = self.tuning.ranges if self.tuning else {}
        if both := sorted(set(ranges) & set(self.hyperparameters)):
            raise ValueError(
                f"{', '.join(both)} is in hyperparameters and in tuning.ranges; a hyperparameter is either fixed or tuned"
            )
        if reserved := [name for name in ranges if name.startswith(("sagemaker_", "_tuning_"))]:
            raise ValueError(f"tuning.ranges has {reserved[0]}, a name that SageMaker uses itself; choose another")
        if len(ranges) + len(self.hyperparameters) > _MOST_HYPERPARAMETERS:
            raise ValueError(
                f"hyperparameters and tuning.ranges have more than {_MOST_HYPERPARAMETERS} names together, which SageMaker "
                "does not take"
            )
        return self

    @model_validator(mode="after")
    def _one_image(self) -> Self:
        if self.image is not None and "framework" in self.model_fields_set:
            raise ValueError("framework names an image of AWS's, and image another one; remove one of them")
        return self

    def image_in(self, region: str) -> str:
        """URI of the image in a region: `image`, or AWS's of the framework. Raises ImageError."""
        return self.image or default_image_uri(region, self.framework)

    @property
    def longest_wait(self) -> timedelta:
        """Time that a training on spot capacity may take."""
        return 2 * self.max_runtime if self.max_wait is None else self.max_wait

    @property
    def longest_search(self) -> timedelta:
        """Time that the trials of a tuning job and the training after them may take, with waiting for spot capacity."""
        one = self.longest_wait if self.spot else self.max_runtime
        rounds = -(-self.tuning.jobs // self.tuning.parallel) if self.tuning else 0
        return one * (rounds + 1)
