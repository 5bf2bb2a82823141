"""CodePipeline, CodeBuild, CodeCommit and other repositories: deployed pipelines are executed as they were deployed."""

from typing import TYPE_CHECKING

from . import builds, codecommit, executions, pipelines
from .repositories import Repositories
from .service import JsonService

if TYPE_CHECKING:
    from ..server import LocalAws


def install(local: "LocalAws") -> None:
    """Serve these APIs in moto's place; `git push` to a repository of `local.repositories` starts pipelines."""
    repositories = Repositories(local.state_dir / "repositories", local.endpoint_url)
    local.repositories = repositories
    build_service = JsonService(local, "codebuild", lambda account, region: builds.Builds(local, account, region))
    build_service.add(builds.OPERATIONS)
    pipeline_service = JsonService(
        local, "codepipeline", lambda account, region: pipelines.Pipelines(local, account, region, build_service)
    )
    pipeline_service.add(pipelines.OPERATIONS)
    pipeline_service.add(executions.OPERATIONS)
    commit_service = JsonService(local, "codecommit", lambda account, at: codecommit.CodeCommit(local, account, at))
    commit_service.add(codecommit.OPERATIONS)
    local.pipelines = pipeline_service
    for service in (build_service, pipeline_service, commit_service):
        local.serve(service.service, service)

    def pushed(body: dict[str, str]) -> dict[str, list[str]]:
        if arn := codecommit.arn_of(body["repository"]):
            _, _, _, region, account, name = arn.split(":")
            commit_service.state(account, region).pushed(name, body["ref"], body["before"], body["after"])
            return {"started": []}
        push = repositories.push(body["repository"], body["ref"], body["before"], body["after"])
        return {"started": [name for state in pipeline_service.states() for name in state.pushed(push)]}

    def pull_request(body: dict[str, str]) -> dict[str, list[str]]:
        request = repositories.pull_request(body["repository"], body["branch"], body["target"])
        return {"started": [name for state in pipeline_service.states() for name in state.pull_request(request)]}

    local.control("push", pushed)
    local.control("pull-request", pull_request)
