"""CodePipeline, CodeBuild, CodeCommit and repositories of connections: deployed pipelines are executed as deployed."""

from ..arn import parse_arn
from ..interfaces import EmbeddedAws
from ..json_api import Record
from . import builds, codecommit, executions, pipelines
from .repositories import Repositories
from .service import RegionalApi


def install(local: EmbeddedAws) -> tuple[Repositories, RegionalApi]:
    """Serve these APIs in moto's place; the repositories, whose `git push` starts pipelines, and CodePipeline."""
    repositories = Repositories(local.kept_dir / "repositories", local.endpoint_url)
    local.stores.refer("repositories", repositories)
    codebuild = RegionalApi(
        local, "codebuild", lambda account, region: builds.Builds(local, repositories, account, region)
    )
    codebuild.add(builds.OPERATIONS)
    codepipeline = RegionalApi(
        local,
        "codepipeline",
        lambda account, region: pipelines.Pipelines(local, repositories, codebuild, account, region),
    )
    codepipeline.add(pipelines.OPERATIONS)
    codepipeline.add(executions.OPERATIONS)
    commits = RegionalApi(local, "codecommit", lambda account, at: codecommit.CodeCommit(repositories, account, at))
    commits.add(codecommit.OPERATIONS)
    _let_rules_look(local, codepipeline, codebuild)
    for service in (codebuild, codepipeline, commits):
        local.serve(service.service, service)

    def pushed(body: dict[str, str]) -> dict[str, list[str]]:
        if arn := codecommit.arn_of(body["repository"]):
            _, region, account, name = parse_arn(arn)
            commits.state(account, region).pushed(name, body["ref"], body["before"], body["after"])
            return {"started": []}
        push = repositories.push(body["repository"], body["ref"], body["before"], body["after"])
        return {"started": [name for state in codepipeline.states() for name in state.pushed(push)]}

    def pull_request(body: dict[str, str]) -> dict[str, list[str]]:
        request = repositories.pull_request(body["repository"], body["branch"], body["target"])
        return {"started": [name for state in codepipeline.states() for name in state.pull_request(request)]}

    local.control("push", pushed)
    local.control("pull-request", pull_request)
    return repositories, codepipeline


def _let_rules_look(local: EmbeddedAws, codepipeline: RegionalApi, codebuild: RegionalApi) -> None:
    """Provide what rules ask for: pipelines, jobs, approvals ("<pipeline>/<stage>/<action>") and projects."""

    def pipeline(account: str, region: str, name: str) -> Record | None:
        found = codepipeline.state(account, region).pipelines.get(name)
        if found is None:
            return None
        return {"Executions": [each.identifier for each in found.executions], "Versions": list(found.versions)}

    def approval(account: str, region: str, path: str) -> Record | None:
        name, stage, action = path.split("/")
        return executions.approval(codepipeline.state(account, region), name, stage, action)

    local.rules.provide("codepipeline", pipeline)
    local.rules.provide("approval", approval)
    local.rules.provide(
        "codepipeline-job", lambda account, region, job: codepipeline.state(account, region).jobs.status(job)
    )
    local.rules.provide("project", lambda account, region, name: codebuild.state(account, region).projects.get(name))
