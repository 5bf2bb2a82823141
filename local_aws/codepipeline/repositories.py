"""Local git repositories in the place of GitHub, GitLab, Bitbucket and CodeCommit.

Each is bare, below the state folder, with a hook that reports pushes to the embedded AWS, as a connection's webhook does.
"""

import fnmatch
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_HOOK = """#!{python}
import json, sys, urllib.request
for line in sys.stdin:
    before, after, ref = line.split()
    body = json.dumps({{"repository": "{name}", "ref": ref, "before": before, "after": after}}).encode()
    call = urllib.request.Request("{url}/_local/push", data=body, headers={{"Content-Type": "application/json"}})
    for started in json.load(urllib.request.urlopen(call))["started"]:
        print("started " + started)
"""


class GitError(Exception):
    """Git failed; the message is its output."""


@dataclass(frozen=True)
class Push:
    """A branch moved to `commit`; `files` changed on the way."""

    repository: str
    branch: str
    commit: str
    files: list[str]


class Repositories:
    """The repositories by their full name, `owner/name`."""

    def __init__(self, folder: Path, endpoint_url: str) -> None:
        self._folder, self._url = folder, endpoint_url

    def create(self, name: str) -> Path:
        """Make an empty repository; returns the path to push to and to clone from."""
        path = self.path(name)
        path.mkdir(parents=True)
        git("init", "--quiet", "--bare", "--initial-branch", "main", str(path))
        hook = path / "hooks" / "post-receive"
        hook.write_text(_HOOK.format(python=sys.executable, name=name, url=self._url))
        hook.chmod(0o755)
        return path

    def path(self, name: str) -> Path:
        """Where the repository is on this machine."""
        return (self._folder / f"{name}.git").resolve()

    def commit(self, name: str, branch: str) -> str:
        """The commit that a branch is at. Raises GitError when there is no such repository or branch."""
        if not self.path(name).exists():
            raise GitError(f"Could not access the repository {name}: there is none on this machine")
        try:
            return git("rev-parse", "--verify", f"refs/heads/{branch}", at=self.path(name))
        except GitError:
            raise GitError(f"No branch [{branch}] found in the repository {name}") from None

    def message(self, name: str, commit: str) -> str:
        """The commit's message."""
        return git("log", "-1", "--format=%B", commit, at=self.path(name))

    def archive(self, name: str, commit: str, target: Path) -> None:
        """Write the files of a commit as a zip."""
        git("archive", "--format=zip", "--output", str(target), commit, at=self.path(name))

    def push(self, name: str, ref: str, before: str, after: str) -> Push:
        """What a push changed."""
        path = self.path(name)
        if is_nothing(before):
            files = git("ls-tree", "-r", "--name-only", after, at=path)
        else:
            files = git("diff", "--name-only", before, after, at=path)
        return Push(name, ref.removeprefix("refs/heads/"), after, files.splitlines())

    def pull_request(self, name: str, branch: str, target: str) -> Push:
        """What merging `branch` would change in `target`, whose name the answer carries."""
        commit = self.commit(name, branch)
        files = git("diff", "--name-only", f"refs/heads/{target}...{commit}", at=self.path(name))
        return Push(name, target, commit, files.splitlines())


def is_nothing(commit: str) -> bool:
    """Whether this is git's null commit: the branch did not exist before a push, or does not after it."""
    return set(commit) == {"0"}


def matches(names: list[str], rule: dict[str, list[str]]) -> bool:
    """Whether a trigger's rule matches any of the names: one that is included (no includes: all) and not excluded."""
    includes, excludes = rule.get("includes", ["**"]), rule.get("excludes", [])
    return any(_any(name, includes) and not _any(name, excludes) for name in names)


def _any(name: str, patterns: list[str]) -> bool:
    # CodePipeline's ** crosses folders and its * does not; `**/x` also matches x at the top.
    return any(
        (fnmatch.fnmatchcase(name, pattern) and ("**" in pattern or name.count("/") == pattern.count("/")))
        or (pattern.startswith("**/") and fnmatch.fnmatchcase(name, pattern[3:]))
        for pattern in patterns
    )


def git(*arguments: str, at: Path | None = None) -> str:
    """Run git; its output. Raises GitError."""
    where = ["-C", str(at)] if at else []
    try:
        done = subprocess.run(["git", *where, *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise GitError("git is not installed: CodePipeline and CodeCommit keep their repositories with it") from None
    if done.returncode:
        raise GitError(done.stderr.strip() or f"git {arguments[0]} failed")
    return done.stdout.strip()
