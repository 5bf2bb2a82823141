"""Names of the resources of one model; `names.py` has those of an environment, and re-exports these."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .region_codes import region_code

if TYPE_CHECKING:
    from .names import EnvironmentNames


@dataclass(frozen=True)
class ModelNames:
    """Names of the resources of one model in one environment.

    Args:
        environment: Names of the environment.
        model: Name of the model, as in model.yaml.
    """

    environment: "EnvironmentNames"
    model: str

    @property
    def prefix(self) -> str:
        return f"{self.environment.prefix}-{self.model}"

    @property
    def stack(self) -> str:
        return self.prefix

    @property
    def model_package_group(self) -> str:
        return self.prefix

    @property
    def endpoint(self) -> str:
        return self.prefix

    @property
    def endpoint_log_group(self) -> str:
        """Log group that SageMaker gives to the endpoint's containers."""
        return f"/aws/sagemaker/Endpoints/{self.endpoint}"

    @property
    def training_pipeline(self) -> str:
        return f"{self.prefix}-train"

    @property
    def monitor_pipeline(self) -> str:
        return f"{self.prefix}-monitor"

    @property
    def scoring_pipeline(self) -> str:
        """The pipeline that scores files."""
        return f"{self.prefix}-score"

    @property
    def rebuild_pipeline(self) -> str:
        """The pipeline that trains a version again; `model-factory reproduce` writes it."""
        return f"{self.prefix}-rebuild"

    @property
    def dashboard(self) -> str:
        return self.prefix

    def alarm(self, purpose: str) -> str:
        """Alarm for `purpose`, such as drift, data-violations, monitor-missed, training-failed or endpoint-errors."""
        return f"{self.prefix}-{purpose}"

    def schedule(self, purpose: str) -> str:
        """EventBridge schedule for `purpose`: retrain, monitor or score."""
        return f"{self.prefix}-{purpose}"

    def rule(self, purpose: str) -> str:
        """EventBridge rule for `purpose`: drift, approved, scoring-data or scoring-ended."""
        return f"{self.prefix}-{purpose}"

    def role(self, purpose: str) -> str:
        """Role for `purpose`: train, train-job, monitor, monitor-job, score, score-job or endpoint; with the region's code."""
        return f"{self.prefix}-{purpose}-{region_code(self.environment.region)}"

    @property
    def settings_parameter(self) -> str:
        """SSM parameter with the JSON that the shared functions read (docs/reference/contracts.md)."""
        return f"{self.environment.models_parameter_prefix}{self.model}"
