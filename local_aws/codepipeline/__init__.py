"""CodePipeline, CodeBuild and the repositories in front of them: deployed pipelines are executed as they were deployed."""

from typing import TYPE_CHECKING

from . import builds, executions, pipelines
from .repositories import Repositories
from .service import JsonService

if TYPE_CHECKING:
    from ..server import LocalAws


def install(local: "LocalAws") -> None:
    """Serve both APIs in moto's place; `git push` to a repository of `local.repositories` starts pipelines."""
    repositories = Repositories(local.state_dir / "repositories", local.endpoint_url)
    local.repositories = repositories
    build_service = JsonService(local, "codebuild", lambda account, region: builds.Builds(local, account, region))
    build_service.add(builds.OPERATIONS)
    pipeline_service = JsonService(
        local, "codepipeline", lambda account, region: pipelines.Pipelines(local, account, region, build_service)
    )
    pipeline_service.add(pipelines.OPERATIONS)
    pipeline_service.add(executions.OPERATIONS)
    for service in (build_service, pipeline_service):
        local.serve(service.service, service)

    def pushed(body: dict[str, str]) -> dict[str, list[str]]:
        push = repositories.push(body["repository"], body["ref"], body["before"], body["after"])
        return {"started": [name for state in pipeline_service.states() for name in state.pushed(push)]}

    def pull_request(body: dict[str, str]) -> dict[str, list[str]]:
        request = repositories.pull_request(body["repository"], body["branch"], body["target"])
        return {"started": [name for state in pipeline_service.states() for name in state.pull_request(request)]}

    local.control("push", pushed)
    local.control("pull-request", pull_request)
