"""The code of a model's jobs as one zip: `jobs/`, the model's folder, its settings and its libraries.

Python runs a zip directly, so no image has to be built. The same files give the same bytes.
"""

import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..assets import JOBS
from ..config import ConfigError, Mistake, ModelConfig
from ..libraries.bundle import NOT_SHIPPED, model_libraries
from ..libraries.instances import instance_mistakes
from .training_hosts import host_mistakes

_MAIN = "from jobs.__main__ import run\n\nrun()\n"
_NOT_SHIPPED = {f"project/{name}" for name in NOT_SHIPPED}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold
_LEFT_OUT = {"__pycache__", "data", ".pytest_cache", ".ipynb_checkpoints"}


@dataclass(frozen=True)
class JobCode:
    """A zip of the code that jobs run.

    Args:
        path: The file.
        digest: SHA-256 of its bytes, in hexadecimal.
        git_commit: The commit that the files are from, with `-dirty` when they differ from it; `unknown` outside of git.
        libraries_digest: SHA-256 over the files of the model's own libraries. Default: None, it has none.
    """

    path: Path
    digest: str
    git_commit: str
    libraries_digest: str | None = None


def build_job_code(
    config: ModelConfig, *, project: Path, target: Path, jobs: Path = JOBS, image: str | None = None
) -> JobCode:
    """Write the zip of one model.

    Args:
        config: The content of model.yaml.
        project: The model's folder.
        target: The zip to write; missing folders are created.
        jobs: Folder of the package `jobs`. Default: the library's.
        image: URI of the image that runs it. Default: `training.image`, or AWS's image of the framework.

    Raises:
        ConfigError: A file that the jobs need is missing, model.py has a syntax error or imports a module that is not there,
            requirements.lock does not fit, an instance has an accelerator that the image cannot use, or the training has
            several instances and its function cannot use them.
    """
    _require(
        jobs / "__main__.py",
        "jobs cannot run without it. `jobs` must be the folder of the library's package `jobs`; if it is, install "
        "the library again",
    )
    _require(
        project / "model.py",
        "it must define features(raw), train(train, validation, hyperparameters) and predict(model, features)",
    )
    _compile(project / "model.py")
    if mistakes := [*instance_mistakes(config, project, image), *host_mistakes(config, project)]:
        raise ConfigError(mistakes)
    libraries = model_libraries(config, project, image)
    members = {
        "__main__.py": _MAIN.encode(),
        **dict(_files(jobs, "jobs")),
        **{name: content for name, content in _files(project, "project") if name not in _NOT_SHIPPED},
        **({"libraries.zip": libraries.archive.read_bytes()} if libraries else {}),
        "project/settings.json": json.dumps(config.settings(), indent=1, sort_keys=True).encode(),
    }
    _write(members, target)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    return JobCode(target, digest, git_commit(project, jobs), libraries.digest if libraries else None)


def build_library_code(target: Path, jobs: Path = JOBS) -> None:
    """Write a zip of the library's jobs without a model, for jobs such as compare that need no project.

    Args:
        target: The zip to write; missing folders are created.
        jobs: Folder of the package `jobs`. Default: the library's.
    """
    _write({"__main__.py": _MAIN.encode(), **dict(_files(jobs, "jobs"))}, target)


def build_pipeline_code(files: Mapping[str, bytes], *, project: Path, target: Path) -> JobCode:
    """Write a zip of the code of an own pipeline: evidence of what its jobs ran, which read the files one by one.

    Args:
        files: Content by name.
        project: The model's folder.
        target: The zip to write; missing folders are created.
    """
    _write(files, target)
    return JobCode(target, hashlib.sha256(target.read_bytes()).hexdigest(), git_commit(project))


def git_commit(project: Path, *others: Path) -> str:
    """The commit that last changed the folders, with `-dirty` when their files differ from it; `unknown` outside of git.

    It is not the commit that is checked out, so that a commit which changes other files does not change what is
    deployed. A build without git history uses the commit that CodeBuild reports.

    Args:
        project: The model's folder.
        others: Further folders; they are ignored when they are not in the repository of `project`.
    """
    if shutil.which("git"):
        for folders in ((project, *others), (project,)):
            paths = [str(folder.resolve()) for folder in folders]
            if commit := _git(project, "log", "-1", "--format=%H", "--", *paths):
                differs = _git(project, "status", "--porcelain", "--untracked-files=no", "--", *paths)
                return f"{commit}-dirty" if differs else commit
    return os.environ.get("CODEBUILD_RESOLVED_SOURCE_VERSION") or "unknown"


def _require(file: Path, otherwise: str) -> None:
    if not file.is_file():
        raise ConfigError([Mistake(file, None, f"there is no such file; {otherwise}")])


def _compile(file: Path) -> None:
    try:
        compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise ConfigError([Mistake(file, getattr(error, "lineno", None), f"syntax error: {error}")]) from None


def _write(members: Mapping[str, bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_STORED if name.endswith(".zip") else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, members[name])


def _git(folder: Path, *arguments: str) -> str | None:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def _files(folder: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not _LEFT_OUT.intersection(parts) and path.suffix != ".pyc":
            yield "/".join((prefix, *parts)), path.read_bytes()
