"""`delivery` in factory.yaml: where pushes come from and what a build runs."""

import re
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from .fields import AccountId, Duration, Region, Section

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
        f"{value!r} is no source; give the ARN of a connection, such as arn:aws:codeconnections:eu-west-1:111111111111:"
        f"connection/<uuid> (Developer Tools > Settings > Connections), or {CODECOMMIT!r}"
    )


class Delivery(Section):
    """How `git push` delivers: one pipeline in a tooling account."""

    account: AccountId
    region: Region
    source: Annotated[str, AfterValidator(_check_source)] = Field(
        description="ARN of the connection to GitHub, GitLab or Bitbucket, or `codecommit`."
    )
    repository: str = Field(description="`owner/name`; the name alone for CodeCommit.")
    branch: str = Field("main", min_length=1, pattern=r"^\S+$")
    stages: list[str] | None = Field(None, min_length=1, description="Environments to deliver to; default: all.")
    install: str = Field("make .venv", min_length=1, description="Shell command that installs the build's tools.")
    test: str = Field("make test", min_length=1, description="Shell command that must succeed before a synth.")
    parallel: int = Field(4, ge=1, le=50, description="Most trainings at a time in one environment.")
    build_size: Literal["small", "medium", "large"] = "medium"
    training_timeout: Duration = Field(default="8h", validate_default=True, description="Longest wait for trainings.")

    @model_validator(mode="after")
    def _repository_fits_the_source(self) -> Self:
        if self.source == CODECOMMIT:
            if not _CODECOMMIT_NAME.fullmatch(self.repository):
                raise ValueError(f"repository {self.repository!r} is no CodeCommit repository; write its name alone")
        elif not _OWNER_AND_NAME.fullmatch(self.repository):
            raise ValueError(f"repository {self.repository!r} is not written as owner/name, such as acme/models")
        return self

    @property
    def excluded_paths(self) -> list[str]:
        """A push that touches only these delivers nothing."""
        return ["docs/**", "*.md", "**/*.md"]


def check_stages(delivery: Delivery, environments: Sequence[str]) -> None:
    """Raise ValueError unless `delivery.stages` are environments, each once and in their order."""
    stages = delivery.stages
    if stages is None:
        return
    order = ", ".join(environments)
    for stage in stages:
        if stage not in environments:
            raise ValueError(f"delivery.stages has {stage!r}, which is no environment; there are {order}")
        if stages.count(stage) > 1:
            raise ValueError(f"delivery.stages has {stage!r} {stages.count(stage)} times; once is enough")
    fitting = [name for name in environments if name in stages]
    if stages != fitting:
        raise ValueError(
            f"delivery.stages are {', '.join(stages)}, but environments come in the order of promotion: {order}; "
            f"write {', '.join(fitting)}, or change the order of the environments"
        )
