"""Trains a version again on this machine: its own jobs as processes, in place of SageMaker's containers.

The jobs read the data with the caller's permissions, run in an environment with the libraries of the original training, and
compare as on AWS. Nothing is written to the account.
"""

import gzip
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from ..project import EnvironmentSession
from . import definition as definitions
from .failures import CannotRebuild
from .recorded import Recorded, read
from .staging import compare_code, request_of

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT")
"""Variables that set the number of threads of OpenMP, BLAS and joblib."""
_LEVEL = 6
"""Of gzip: its own default. Python's, 9, takes four times as long for 1 % of CatBoost's libraries."""
_LEFT_OUT = ("local-aws", "model-factory-cdk", "pip", "setuptools")


@dataclass(frozen=True)
class LocalRun:
    """The content of verdict.json, and what was not as for the original."""

    verdict: dict[str, Any]
    notes: tuple[str, ...]


def rebuild(home: EnvironmentSession, recorded: Recorded, log: Callable[[str], None]) -> LocalRun:
    """Train the version again on this machine and compare. Raises CannotRebuild with the job's reason, or what is missing."""
    prepare, train = definitions.training_steps(recorded.definition)
    if (count := definitions.instance_count(recorded.definition)) > 1:
        raise CannotRebuild(
            f"{count} instances trained it, which reach each other by their names, and this machine is one; train it again "
            "on AWS: without --local"
        )
    read(recorded.manifest)  # a job that read an altered manifest would train on other data
    with tempfile.TemporaryDirectory(prefix="reproduce-") as temporary:
        folder = Path(temporary)
        code = folder / definitions.code_name(recorded.definition)
        code.write_bytes(read(recorded.code))
        libraries = {"libraries": recorded.libraries} if recorded.libraries else {}
        python, notes = _python(folder, recorded.facts and recorded.facts | libraries, code, log)
        machine = Machine(home, python, folder, log)
        prepared = machine.prepare(code, prepare["Arguments"], recorded)
        threads = _threads(recorded.facts)
        trained = machine.train(code, train["Arguments"], prepared, threads)
        verdict = machine.compare(recorded, prepared, trained)
    more = (f"trained with {threads['OMP_NUM_THREADS']} threads, as recorded",) if threads else ()
    return LocalRun(verdict, notes + more)


@dataclass(frozen=True)
class Machine:
    """Runs the jobs of one reproduction."""

    home: EnvironmentSession
    python: Path
    folder: Path
    log: Callable[[str], None]

    def prepare(self, code: Path, arguments: Mapping[str, Any], recorded: Recorded) -> Path:
        """Run Prepare; the folder of its outputs."""
        variables = _plain(arguments["Environment"]) | {"DATA_MANIFEST": recorded.manifest.uri}
        root = self._run("Prepare", code, "prepare", variables)
        return root / "processing" / "output"

    def train(self, code: Path, arguments: Mapping[str, Any], prepared: Path, variables: Mapping[str, str]) -> Path:
        """Run Train with further environment variables; the folder with model.tar.gz and output.tar.gz."""
        root = self.folder / "train"
        for channel, output in {"train": "train", "validation": "validation", "schema": "baseline"}.items():
            shutil.copytree(prepared / output, root / "input" / "data" / channel)
        (config := root / "input" / "config").mkdir(parents=True)
        (config / "hyperparameters.json").write_text(json.dumps(arguments.get("HyperParameters", {})))
        self._run("Train", code, "train", _plain(arguments.get("Environment", {})) | dict(variables))
        (output := root / "packed").mkdir()
        _pack(root / "model", output / "model.tar.gz")
        if (root / "output" / "data").exists():
            _pack(root / "output" / "data", output / "output.tar.gz")
        return output

    def compare(self, recorded: Recorded, prepared: Path, trained: Path) -> dict[str, Any]:
        """Run Compare; the content of verdict.json."""
        inputs = self.folder / "compare" / "processing" / "input"
        shutil.copytree(trained, inputs / "rebuilt")
        shutil.copytree(prepared / "report", inputs / "report")
        (inputs / "request").mkdir()
        (inputs / "request" / "request.json").write_text(json.dumps(request_of(recorded)))
        code = self.folder / definitions.COMPARE_ZIP
        code.write_bytes(compare_code())
        root = self._run("Compare", code, "compare", {})
        return json.loads((root / "processing" / "output" / "verdict" / "verdict.json").read_text())

    def _run(self, step: str, code: Path, job: str, variables: Mapping[str, str]) -> Path:
        """Run a job as SageMaker's container would; the folder in place of /opt/ml. Raises CannotRebuild."""
        root = self.folder / job
        root.mkdir(exist_ok=True)
        self.log(f"{step:<10} Executing")
        environment = {**_own_variables(), **_credentials(self.home), **variables, "FACTORY_ML_ROOT": str(root)}
        command = [str(self.python), str(code), job]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            raise CannotRebuild(f"{step} failed: {lines[-1] if lines else f'exit code {done.returncode}'}")
        self.log(f"{step:<10} Succeeded")
        return root


def _own_variables() -> dict[str, str]:
    """Variables of this process that a job needs: no thread counts, no PYTHON…, no profile of AWS."""
    kept = (
        "PATH",
        "HOME",
        "TMPDIR",
        "LANG",
        "AWS_ENDPOINT_URL",
        "AWS_CA_BUNDLE",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
    )
    return {name: os.environ[name] for name in kept if name in os.environ}


def _credentials(home: EnvironmentSession) -> dict[str, str]:
    found = home.boto_session.get_credentials()
    if found is None:
        raise CannotRebuild(f"there are no credentials for {home.environment.name}")
    frozen = found.get_frozen_credentials()
    token = {"AWS_SESSION_TOKEN": frozen.token} if frozen.token else {}
    return {
        "AWS_ACCESS_KEY_ID": str(frozen.access_key),
        "AWS_SECRET_ACCESS_KEY": str(frozen.secret_key),
        "AWS_DEFAULT_REGION": home.environment.region,
        **token,
    }


def _plain(environment: Mapping[str, Any]) -> dict[str, str]:
    """The variables of a recorded job that are no references to its execution."""
    return {name: value for name, value in environment.items() if isinstance(value, str)} | {
        "PIPELINE_EXECUTION_ID": "local"
    }


def _threads(facts: Mapping[str, Any] | None) -> dict[str, str]:
    """Variables for the recorded number of threads; none where a process of this machine has as many by itself.

    OMP_NUM_THREADS also overrides what scikit-learn chooses (physical cores), so it is not set without need.
    """
    recorded = (facts or {}).get("threads")
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return thread_variables(recorded) if recorded and recorded != own else {}


def thread_variables(threads: int) -> dict[str, str]:
    """Variables with which a process uses this number of threads."""
    return dict.fromkeys(THREADS, str(threads))


def _python(
    folder: Path, facts: Mapping[str, Any] | None, code: Path, log: Callable[[str], None]
) -> tuple[Path, tuple[str, ...]]:
    """A Python with the recorded libraries: this one, or a new environment. Raises CannotRebuild when one cannot be had.

    The code brings the model's own libraries.
    """
    if not facts or not facts.get("libraries"):
        return Path(sys.executable), (
            "the libraries of the original training were not recorded; these are this machine's",
        )
    left_out = {*_LEFT_OUT, *_libraries_of(code)}
    wanted = {name: version for name, version in facts["libraries"].items() if name.lower() not in left_out}
    differ = {name: version for name, version in wanted.items() if _installed(name) != version}
    minor = ".".join(str(facts.get("python", platform.python_version())).split(".")[:2])
    if not differ and minor == ".".join(platform.python_version_tuple()[:2]):
        return Path(sys.executable), ()
    shown = ", ".join(
        f"{name} {version} (here {_installed(name) or 'none'})" for name, version in sorted(differ.items())
    )
    log(f"makes an environment with Python {minor} and the recorded libraries: {shown or 'another Python'}")
    return _environment(folder / "venv", minor, wanted), (f"trained with Python {minor} and the recorded libraries",)


def _libraries_of(code: Path) -> set[str]:
    """Names of the libraries in a zip of jobs, in lower case: from the folders `<name>-<version>.dist-info` of libraries.zip."""
    with zipfile.ZipFile(code) as archive:
        if "libraries.zip" not in archive.namelist():
            return set()
        with zipfile.ZipFile(io.BytesIO(archive.read("libraries.zip"))) as libraries:
            folders = {name.partition("/")[0] for name in libraries.namelist()}
    names = {each.partition("-")[0].lower() for each in folders if each.endswith(".dist-info")}
    return names | {name.replace("_", "-") for name in names}


def _environment(target: Path, minor: str, wanted: Mapping[str, str]) -> Path:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        raise CannotRebuild("uv is not installed, which makes environments with other libraries: pip install uv")
    python = target / "bin" / "python"
    for command in (
        [uv, "venv", "--quiet", "--python", interpreter(minor), str(target)],
        [uv, "pip", "install", "--quiet", "--python", str(python), *(f"{n}=={v}" for n, v in sorted(wanted.items()))],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = " ".join(done.stderr.split())[-600:]
            raise CannotRebuild(f"the recorded libraries cannot be installed here: {reason}")
    return python


def interpreter(version: str) -> str:
    """A Python of pyenv's, which uv does not look for, or the version, such as `3.11`: uv searches PATH or downloads one."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    of_pyenv = sorted(root.glob(f"versions/{version}.*/bin/python"))
    return str(of_pyenv[-1]) if of_pyenv else version


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _pack(folder: Path, archive: Path) -> None:
    """A .tar.gz of a folder without times and owners, which differ from machine to machine."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for path in sorted(folder.rglob("*")):
            tar.add(path, arcname=str(path.relative_to(folder)), recursive=False, filter=_timeless)


def _timeless(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime = entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
