"""CodeBuild: projects, and builds that run their buildspec on this machine, in the place of a container."""

import shutil
import threading
import uuid
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..authorization import AccessDeniedError
from ..interfaces import EmbeddedAws
from ..json_api import Record, ServiceError, now
from .artifacts import Artifact, extract, read, write, zip_files
from .buildspec import BuildSpec, Outcome, SpecError, run
from .checkout import checkout
from .codecommit import arn_of
from .connections import use_connection
from .repositories import Repositories


class Builds:
    """CodeBuild in one account and region."""

    def __init__(self, local: EmbeddedAws, repositories: Repositories, account: str, region: str) -> None:
        self.local, self.repositories, self.account, self.region = local, repositories, account, region
        self.projects: dict[str, Record] = {}
        self.builds: dict[str, Record] = {}
        self.stopping = threading.Event()

    def stop(self) -> None:
        """End what is running."""
        self.stopping.set()

    def restarted(self) -> None:
        """End the builds that ran when the embedded AWS ended, as builds that the service could not finish."""
        for build in self.builds.values():
            if build["buildStatus"] == "IN_PROGRESS":
                build |= {"buildStatus": "FAULT", "currentPhase": "COMPLETED", "endTime": now()}

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a project or build."""
        return f"arn:aws:codebuild:{self.region}:{self.account}:{kind}/{name}"

    def run(
        self,
        name: str,
        *,
        inputs: Mapping[str, Artifact],
        primary: str,
        outputs: Mapping[str, Artifact],
        variables: list[dict[str, str]],
        initiator: str,
        kms_key: str | None,
    ) -> Record:
        """Run a build of the project for a pipeline and wait for it; its record. `primary` names the source.

        Raises ServiceError when there is no such project, or CodeBuild may not assume its role.
        """
        project = _project(self, name)
        try:
            self.local.authorization.take_role("codebuild.amazonaws.com", project["serviceRole"], project["arn"])
        except AccessDeniedError as refusal:
            role = project["serviceRole"]
            message = f"CodeBuild is not authorized to perform: sts:AssumeRole on {role} ({refusal})"
            raise ServiceError(message, "InvalidInputException") from None
        build = self._begin(project, initiator)
        folder = self.local.state_dir / "builds" / build["id"].rpartition(":")[2]
        folder.mkdir(parents=True)
        try:
            s3 = self.local.accounts.role_client("s3", project["serviceRole"], self.region)
            source = folder / "src"
            archive = read(s3, inputs[primary])
            commit = checkout(archive, source, self.repositories, partial(self._may_clone, project))
            secondary: dict[str, str] = {}
            for key, artifact in inputs.items():
                if key != primary:
                    extract(read(s3, artifact), folder / key)
                    secondary[f"CODEBUILD_SRC_DIR_{key}"] = str(folder / key)
            environment = self._environment(project, build, source, commit, variables) | secondary
            outcome = self._run_spec(project, source, folder, environment)
            if outcome.failed is None:
                _upload(outcome.spec, source, outputs, s3, kms_key)
        except (SpecError, AccessDeniedError) as error:
            outcome = Outcome(None, str(error), "DOWNLOAD_SOURCE", "")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._finish(build, outcome)
        return build

    def _may_clone(self, project: Record, repository: str, connection: str) -> None:
        """Raise AccessDeniedError unless the project's role may clone, through the source's connection if it has one."""
        if connection:
            use_connection(self.local.authorization, project["serviceRole"], connection)
        if arn := arn_of(repository):
            self.local.authorization.check(project["serviceRole"], "codecommit:GitPull", arn)

    def _begin(self, project: Record, initiator: str) -> Record:
        identifier = f"{project['name']}:{uuid.uuid4()}"
        group = project.get("logsConfig", {}).get("cloudWatchLogs", {}).get("groupName")
        build: Record = {
            "id": identifier,
            "arn": self.arn("build", identifier),
            "projectName": project["name"],
            "buildStatus": "IN_PROGRESS",
            "startTime": now(),
            "initiator": initiator,
            "serviceRole": project["serviceRole"],
            "logs": {
                "groupName": group or f"/aws/codebuild/{project['name']}",
                "streamName": identifier.partition(":")[2],
            },
        }
        self.builds[identifier] = build
        return build

    def _finish(self, build: Record, outcome: Outcome) -> None:
        build["buildStatus"] = "SUCCEEDED" if outcome.failed is None else "FAILED"
        build["currentPhase"], build["endTime"] = "COMPLETED", now()
        context = [{"statusCode": "COMMAND_EXECUTION_ERROR", "message": outcome.failed}] if outcome.failed else []
        status = "FAILED" if outcome.failed else "SUCCEEDED"
        build["phases"] = [{"phaseType": outcome.phase, "phaseStatus": status, "contexts": context}]
        logs = self.local.accounts.client("logs", self.account, self.region)
        where = {"logGroupName": build["logs"]["groupName"]}
        if not logs.describe_log_groups(logGroupNamePrefix=where["logGroupName"])["logGroups"]:
            logs.create_log_group(**where)
        where["logStreamName"] = build["logs"]["streamName"]
        logs.create_log_stream(**where)
        time = int(now().timestamp() * 1000)
        lines = [line for line in outcome.log.splitlines() if line.strip()] or ["(no output)"]
        logs.put_log_events(**where, logEvents=[{"timestamp": time, "message": line} for line in lines])

    def _environment(
        self, project: Record, build: Record, source: Path, commit: str, variables: list[dict[str, str]]
    ) -> dict[str, str]:
        plain: dict[str, str] = {}
        for variable in [*project["environment"].get("environmentVariables", []), *variables]:
            if variable.get("type", "PLAINTEXT") != "PLAINTEXT":
                raise SpecError(f"the embedded AWS does not support build variables of type {variable['type']}")
            plain[variable["name"]] = variable["value"]
        return {
            **plain,
            "CI": "true",
            "CODEBUILD_BUILD_ID": build["id"],
            "CODEBUILD_BUILD_ARN": build["arn"],
            "CODEBUILD_INITIATOR": build["initiator"],
            "CODEBUILD_SRC_DIR": str(source),
            **({"CODEBUILD_RESOLVED_SOURCE_VERSION": commit} if commit else {}),
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.local.endpoint_url,
            **self.local.accounts.assume(project["serviceRole"], build["id"].replace(":", "-")),
        }

    def _run_spec(self, project: Record, source: Path, folder: Path, environment: dict[str, str]) -> Outcome:
        spec = BuildSpec.read(project["source"].get("buildspec", ""), source)
        return run(spec, source, folder, environment, self.stopping)


def _upload(spec: BuildSpec, source: Path, outputs: Mapping[str, Artifact], s3: Any, kms_key: str | None) -> None:
    for name, artifact in outputs.items():
        base, files = spec.artifact(source, name, alone=len(outputs) == 1)
        write(s3, artifact, zip_files(base, files), kms_key)


def _project(builds: Builds, name: str) -> Record:
    if name not in builds.projects:
        raise ServiceError(f"Project cannot be found: {builds.arn('project', name)}", "ResourceNotFoundException")
    return builds.projects[name]


def _create_project(builds: Builds, request: Record) -> Record:
    name = request["name"]
    if name in builds.projects:
        raise ServiceError(f"Project already exists: {builds.arn('project', name)}", "ResourceAlreadyExistsException")
    del request["CallerArn"]
    builds.projects[name] = request | {"arn": builds.arn("project", name), "created": now(), "lastModified": now()}
    return {"project": builds.projects[name]}


def _update_project(builds: Builds, request: Record) -> Record:
    project = _project(builds, request["name"])
    del request["CallerArn"]
    project.update(request, lastModified=now())
    return {"project": project}


def _batch_get_builds(builds: Builds, request: Record) -> Record:
    found = [builds.builds[name] for name in request["ids"] if name in builds.builds]
    return {"builds": found, "buildsNotFound": [name for name in request["ids"] if name not in builds.builds]}


def _batch_get_projects(builds: Builds, request: Record) -> Record:
    names = [name.rpartition("/")[2] for name in request["names"]]
    found = [builds.projects[name] for name in names if name in builds.projects]
    return {"projects": found, "projectsNotFound": [name for name in names if name not in builds.projects]}


def _list_builds_for_project(builds: Builds, request: Record) -> Record:
    _project(builds, request["projectName"])
    found = [key for key, build in builds.builds.items() if build["projectName"] == request["projectName"]]
    return {"ids": found[::-1] if request.get("sortOrder", "DESCENDING") == "DESCENDING" else found}


def _delete_project(builds: Builds, request: Record) -> None:
    builds.projects.pop(request["name"], None)


OPERATIONS = {
    "CreateProject": _create_project,
    "UpdateProject": _update_project,
    "DeleteProject": _delete_project,
    "BatchGetProjects": _batch_get_projects,
    "BatchGetBuilds": _batch_get_builds,
    "ListBuildsForProject": _list_builds_for_project,
    "ListProjects": lambda builds, _: {"projects": sorted(builds.projects)},
}
