"""CodeCommit: repositories of an account and region, and the events that pushes to them put on the account's bus."""

import uuid
from typing import Any

from ..events import emit
from ..json_api import Record, ServiceError, now
from .repositories import GitError, Repositories, is_nothing

_FOLDER = "codecommit/"
_NO_REPOSITORY = "RepositoryDoesNotExistException"


def arn_of(repository: str) -> str | None:
    """ARN of a repository of `local.repositories`; None for those of a connection."""
    if not repository.startswith(_FOLDER):
        return None
    account, region, name = repository.removeprefix(_FOLDER).split("/")
    return f"arn:aws:codecommit:{region}:{account}:{name}"


class CodeCommit:
    """CodeCommit in one account and region."""

    def __init__(self, git_repositories: Repositories, account: str, region: str) -> None:
        self.git_repositories, self.account, self.region = git_repositories, account, region
        self.repositories: dict[str, Record] = {}

    def stop(self) -> None:
        """Nothing runs."""

    def restarted(self) -> None:
        """Nothing ran."""

    def full_name(self, name: str) -> str:
        """Its name in `local.repositories`."""
        return f"{_FOLDER}{self.account}/{self.region}/{name}"

    def find(self, name: str) -> Record:
        """A repository's metadata. Raises ServiceError."""
        if name not in self.repositories:
            raise ServiceError(f"{name} does not exist", _NO_REPOSITORY)
        return self.repositories[name]

    def pushed(self, name: str, ref: str, before: str, after: str) -> None:
        """Emit the event of a pushed branch or tag (CodeCommit user guide, 'Monitoring CodeCommit events')."""
        repository = self.find(name)
        _, kind, reference = ref.split("/", 2)
        detail = {
            "repositoryName": name,
            "repositoryId": repository["repositoryId"],
            "referenceType": {"heads": "branch", "tags": "tag"}[kind],
            "referenceName": reference,
            "referenceFullName": ref,
        }
        if is_nothing(after):
            detail |= {"event": "referenceDeleted", "oldCommitId": before}
        elif is_nothing(before):
            detail |= {"event": "referenceCreated", "commitId": after}
        else:
            detail |= {"event": "referenceUpdated", "commitId": after, "oldCommitId": before}
        kind = "CodeCommit Repository State Change"
        emit(self.account, self.region, "aws.codecommit", kind, detail, [repository["Arn"]])


def _create(state: CodeCommit, request: Record) -> Record:
    name = request["repositoryName"]
    if name in state.repositories:
        raise ServiceError(f"Repository named {name} already exists", "RepositoryNameExistsException")
    full_name = state.full_name(name)
    # No git server runs here: both URLs are the path of the repository.
    path = str(state.git_repositories.create(full_name))
    state.repositories[name] = {
        "accountId": state.account,
        "repositoryId": str(uuid.uuid4()),
        "repositoryName": name,
        "repositoryDescription": request.get("repositoryDescription", ""),
        "defaultBranch": "main",
        "creationDate": now(),
        "lastModifiedDate": now(),
        "cloneUrlHttp": path,
        "cloneUrlSsh": path,
        "Arn": arn_of(full_name),
    }
    return {"repositoryMetadata": state.repositories[name]}


def _get_branch(state: CodeCommit, request: Record) -> Record:
    name, branch = request["repositoryName"], request["branchName"]
    state.find(name)
    try:
        commit = state.git_repositories.commit(state.full_name(name), branch)
    except GitError as error:
        raise ServiceError(str(error), "BranchDoesNotExistException") from None
    return {"branch": {"branchName": branch, "commitId": commit}}


def _get_commit(state: CodeCommit, request: Record) -> Record:
    name, commit = request["repositoryName"], request["commitId"]
    state.find(name)
    try:
        message = state.git_repositories.message(state.full_name(name), commit)
    except GitError as error:
        raise ServiceError(str(error), "CommitIdDoesNotExistException") from None
    return {"commit": {"commitId": commit, "message": message}}


OPERATIONS: dict[str, Any] = {
    "CreateRepository": _create,
    "GetRepository": lambda state, request: {"repositoryMetadata": state.find(request["repositoryName"])},
    "GetBranch": _get_branch,
    "GetCommit": _get_commit,
}
