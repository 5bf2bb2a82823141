"""One run of an action: its artifacts, its role and its results."""

import re
import uuid
from typing import Any

from ..arn import parse_arn
from ..authorization import AccessDeniedError
from ..interfaces import EmbeddedAws
from ..json_api import Record, now
from .artifacts import Artifact, write
from .interfaces import RunningExecution

_VARIABLE = re.compile(r"#\{([^}.]+)\.([^}]+)\}")


class ActionFailed(Exception):
    """The action failed; `code` and `message` become its error details."""

    def __init__(self, message: str, code: str = "JobFailed") -> None:
        super().__init__(message)
        self.code, self.message = code, message


def resolve(configuration: dict[str, str], variables: dict[str, dict[str, str]]) -> dict[str, str]:
    """Replace `#{namespace.name}` by its value. Raises ActionFailed for a variable without a value."""

    def value(match: re.Match[str]) -> str:
        try:
            return variables[match[1]][match[2]]
        except KeyError:
            raise ActionFailed(f"The variable {match[0]} has no value", "VariableNotFound") from None

    return {key: _VARIABLE.sub(value, text) for key, text in configuration.items()}


class ActionExecution:
    """An action in one execution."""

    def __init__(self, execution: RunningExecution, stage: str, declaration: Record) -> None:
        self.execution, self.stage, self.declaration = execution, stage, declaration
        self.identifier = str(uuid.uuid4())
        self.status = "InProgress"
        self.started = self.updated = now()
        self.configuration: dict[str, str] = declaration.get("configuration", {})
        self.variables: dict[str, str] = {}
        self.error: dict[str, str] = {}
        self.summary = self.external_id = self.external_url = self.updated_by = ""
        self.token: str | None = None
        self.decision: Record | None = None

    @property
    def name(self) -> str:
        """The action's name."""
        return self.declaration["name"]

    @property
    def local(self) -> EmbeddedAws:
        """The embedded AWS."""
        return self.execution.state.local

    @property
    def region(self) -> str:
        """The region of the action."""
        return self.declaration.get("region", self.execution.state.region)

    @property
    def role_arn(self) -> str:
        """The action's own role, else the pipeline's."""
        return self.declaration.get("roleArn") or self.execution.declaration["roleArn"]

    def take_role(self) -> None:
        """Assume the pipeline's role, and from it the action's own. Raises ActionFailed with CodePipeline's message."""
        authorization, taken = self.local.authorization, self.execution.declaration["roleArn"]
        state = self.execution.state
        pipeline = f"arn:aws:codepipeline:{state.region}:{state.account}:{self.execution.name}"
        try:
            authorization.take_role("codepipeline.amazonaws.com", taken, pipeline)
            if self.role_arn != taken:
                wanted = {"RoleArn": self.role_arn, "RoleSessionName": self.identifier}
                pipelines_role, taken = taken, self.role_arn
                authorization.check_call(pipelines_role, "sts", "AssumeRole", wanted, state.region)
        except AccessDeniedError as refusal:
            message = f"CodePipeline is not authorized to perform AssumeRole on role {taken} ({refusal})"
            raise ActionFailed(message, "PermissionError") from None

    def client(self, service: str) -> Any:
        """A client in the action's region that acts as the action's role."""
        return self.local.accounts.role_client(service, self.role_arn, self.region)

    def account(self) -> str:
        """The account of the action's role."""
        return parse_arn(self.role_arn).account

    def fail(self, code: str, message: str) -> None:
        """End as failed."""
        self.status, self.error = "Failed", {"code": code, "message": message[:5000]}

    def store(self, region: str) -> tuple[str, str | None]:
        """Bucket and key ARN of the artifact store of a region."""
        declaration = self.execution.declaration
        store = declaration.get("artifactStores", {}).get(region) or declaration["artifactStore"]
        return store["location"], store.get("encryptionKey", {}).get("id")

    def inputs(self) -> dict[str, Artifact]:
        """The input artifacts by name, in the store of the action's region."""
        found: dict[str, Artifact] = {}
        for entry in self.declaration.get("inputArtifacts", []):
            artifact = self.execution.artifacts[entry["name"]]
            bucket, key = self.store(self.region)
            if bucket != artifact.bucket:
                artifact = self._replicate(artifact, bucket, key)
            found[entry["name"]] = artifact
        return found

    def outputs(self) -> dict[str, Artifact]:
        """Where the output artifacts go."""
        bucket, _ = self.store(self.region)
        prefix = f"{self.execution.name[:20]}/{self.execution.identifier}"
        names = [entry["name"] for entry in self.declaration.get("outputArtifacts", [])]
        made = {name: Artifact(bucket, f"{prefix}/{name[:40]}-{self.identifier[:7]}.zip") for name in names}
        self.execution.artifacts.update(made)
        return made

    def _replicate(self, artifact: Artifact, bucket: str, key: str | None) -> Artifact:
        """A copy in the region's store, made by the pipeline's own role."""

        def s3(region: str) -> Any:
            return self.local.accounts.role_client("s3", self.execution.declaration["roleArn"], region)

        body = s3(self.execution.state.region).get_object(Bucket=artifact.bucket, Key=artifact.key)["Body"].read()
        copy = Artifact(bucket, artifact.key)
        write(s3(self.region), copy, body, key)
        return copy
