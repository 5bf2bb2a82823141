"""What every construct of one model in one environment starts from."""

import hashlib
import json
from dataclasses import dataclass

from ..config import Environment, ModelConfig
from ..core.names import EnvironmentNames, ModelNames
from ..core.network import VpcConfig
from .job_code import JobCode


@dataclass(frozen=True)
class ModelProps:
    """One model in one environment. `code_uri` is where the jobs' zip is in S3, `key_arn` the environment's key,
    `vpc` the network of its jobs and endpoint: None for outside of any. `promoted_from` names the environment
    whose versions it is given instead of training its own: None where it trains.
    """

    config: ModelConfig
    environment: Environment
    names: ModelNames
    key_arn: str
    image: str
    code: JobCode
    code_bucket: str
    code_key: str
    vpc: VpcConfig | None = None
    promoted_from: str | None = None

    @property
    def shared(self) -> EnvironmentNames:
        """The names of what the environment has once."""
        return self.names.environment

    @property
    def code_uri(self) -> str:
        return f"s3://{self.code_bucket}/{self.code_key}"

    @property
    def code_arn(self) -> str:
        return f"arn:{self.shared.partition}:s3:::{self.code_bucket}/{self.code_key}"

    def uri(self, bucket: str, path: str = "") -> str:
        """S3 URI of the model's part of a bucket, such as `uri("artifacts", "monitor")`."""
        return f"s3://{self.shared.bucket(bucket)}/{self.config.name}" + (f"/{path}" if path else "")

    @property
    def hyperparameters(self) -> dict[str, str]:
        """As SageMaker takes them: every value a text; what is not a text already is JSON."""
        values = self.config.training.hyperparameters
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}

    @property
    def hyperparameters_digest(self) -> str:
        """SHA-256 of the hyperparameters, whatever order they are written in."""
        canonical = json.dumps(self.config.training.hyperparameters, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def tags(self) -> list[dict[str, str]]:
        """For what SageMaker makes at run time; the stack tags the rest."""
        names = self.shared
        tags = {"factory": names.factory, "environment": names.environment, "model": self.config.name}
        return [{"Key": f"model-factory:{key}", "Value": value} for key, value in tags.items()]
