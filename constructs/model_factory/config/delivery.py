"""`delivery` in factory.yaml: the source repository, the branch and the commands of a build."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from .fields import AccountId, Duration, PolicyName, Region, Section, at_most

CODECOMMIT = "codecommit"
_CONNECTION = re.compile(
    r"arn:aws(-[a-z]+)*:(codeconnections|codestar-connections):[a-z0-9-]+:\d{12}:connection/"
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)
_OWNER_AND_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)+")
_CODECOMMIT_NAME = re.compile(r"[\w.-]{1,100}")


def _check_source(value: str) -> str:
    if value == CODECOMMIT or _CONNECTION.fullmatch(value):
        return value
    raise ValueError(
        f"{value!r} is not a source; give the ARN of a connection, such as arn:aws:codeconnections:eu-west-1:111111111111:"
        f"connection/<uuid> (Developer Tools > Settings > Connections), or {CODECOMMIT!r}"
    )


class Delivery(Section):
    """Continuous delivery: one CodePipeline pipeline in a tooling account deploys every push."""

    account: AccountId = Field(description="Id of the tooling account: twelve digits, in quotes.")
    region: Region = Field(description="Region of the delivery pipeline, such as eu-west-1.")
    source: Annotated[str, AfterValidator(_check_source)] = Field(
        description="ARN of the connection to GitHub, GitLab or Bitbucket, or `codecommit`."
    )
    repository: str = Field(description="Repository as `owner/name`; for CodeCommit its name alone.")
    branch: str = Field("main", min_length=1, pattern=r"^\S+$", description="Branch whose pushes are delivered.")
    stages: list[str] | None = Field(
        None,
        min_length=1,
        description="Names of the environments to deliver to, in the order of `environments`. Default: all.",
    )
    install: str = Field(
        "pip install --requirement requirements.txt",
        min_length=1,
        description="Shell command that installs the library and the tools of the build.",
    )
    test: str = Field(
        "model-factory validate && pytest --quiet",
        min_length=1,
        description="Shell command that must succeed before the stacks are synthesized.",
    )
    parallel: int = Field(4, ge=1, le=50, description="Maximum number of trainings at a time in one environment.")
    build_size: Literal["small", "medium", "large"] = Field(
        "medium", description="Compute type of the CodeBuild projects."
    )
    training_timeout: Annotated[Duration, at_most(timedelta(hours=23), "23h", "an action of CodePipeline")] = Field(
        default="8h", validate_default=True, description="Maximum time to wait for the trainings of one environment."
    )

    permissions_boundary: PolicyName | None = Field(
        default=None,
        description="Name of the IAM policy that is the permissions boundary of every role of the delivery.",
    )

    @model_validator(mode="after")
    def _repository_fits_the_source(self) -> Self:
        if self.source == CODECOMMIT:
            if not _CODECOMMIT_NAME.fullmatch(self.repository):
                raise ValueError(f"repository {self.repository!r} is not a CodeCommit repository; write its name alone")
        elif not _OWNER_AND_NAME.fullmatch(self.repository):
            raise ValueError(f"repository {self.repository!r} is not written as owner/name, such as acme/models")
        return self

    @property
    def excluded_paths(self) -> list[str]:
        """Path patterns: a push that changes only such files starts no delivery."""
        return ["docs/**", "*.md", "**/*.md"]


def check_stages(delivery: Delivery, environments: Sequence[str]) -> None:
    """Raise ValueError unless `delivery.stages` are environments, each once and in their order."""
    stages = delivery.stages
    if stages is None:
        return
    order = ", ".join(environments)
    for stage in stages:
        if stage not in environments:
            raise ValueError(
                f"delivery.stages has {stage!r}, which is not an environment; the environments are {order}"
            )
        if stages.count(stage) > 1:
            raise ValueError(f"delivery.stages has {stage!r} {stages.count(stage)} times; each may occur once")
    fitting = [name for name in environments if name in stages]
    if stages != fitting:
        raise ValueError(
            f"delivery.stages are {', '.join(stages)}, but they must be in the order of promotion: {order}; "
            f"write {', '.join(fitting)}, or change the order of the environments"
        )
