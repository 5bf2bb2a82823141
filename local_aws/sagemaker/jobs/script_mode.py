"""Containers that run their image's own command `train`: the training toolkit's script mode.

Images are not run here, so what AWS's framework images do with `sagemaker_program` and `sagemaker_submit_directory` is done in
their place: the folder becomes /opt/ml/code, and Python runs the script with the hyperparameters as arguments. Source: the
sources of sagemaker-training 4.8.0, the toolkit in AWS's images.
"""

import json
import os
import shlex
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..containers.container_view import ML
from .host import Host, JobError

PROGRAM, SUBMIT_DIRECTORY = "sagemaker_program", "sagemaker_submit_directory"
CODE = f"{ML}/code"
OBJECTIVE_HYPERPARAMETER = "_tuning_objective_metric"
"""A hyperparameter of a tuning job's training jobs, which the toolkit does not pass on."""


class ScriptMode:
    """A host of a training job whose image starts a script. `host`: its input is downloaded. `hosts`: names of all."""

    def __init__(self, host: Host, hosts: Sequence[str]) -> None:
        job = host.job
        given = {name: decoded(text) for name, text in job.record.get("HyperParameters", {}).items()}
        self._host, self._job, self._hosts = host, job, list(hosts)
        self._program = str(job.record.get("Environment", {}).get("SAGEMAKER_PROGRAM") or given.get(PROGRAM) or "")
        self._directory = str(given.get(SUBMIT_DIRECTORY) or CODE)
        self._hyperparameters = {
            name: value
            for name, value in given.items()
            if not name.startswith("sagemaker_") and name != OBJECTIVE_HYPERPARAMETER
        }

    def command(self) -> list[str]:
        """Put the code in place; the command of the container. Raises JobError."""
        if not self._program:
            raise JobError(
                "ClientError: the embedded AWS runs no images: give the job a ContainerEntrypoint, or the hyperparameters "
                f"{PROGRAM} and {SUBMIT_DIRECTORY} for script mode"
            )
        self._place_code()
        if not self._program.endswith(".py"):
            script = f"./{self._program} {shlex.join(self.arguments())}".rstrip()
            return ["/bin/sh", "-c", script]
        return ["python3", f"{CODE}/{self._program}", *self.arguments()]

    def arguments(self) -> list[str]:
        """The hyperparameters as arguments of the script: `--name value`, and `-n value` for a name of one letter."""
        pairs = sorted(self._hyperparameters.items())
        return [
            part for name, value in pairs for part in (f"-{name}" if len(name) == 1 else f"--{name}", _argument(value))
        ]

    def environment(self) -> dict[str, str]:
        """The toolkit's variables SM_…."""
        record = self._job.record
        channels = [channel["ChannelName"] for channel in record.get("InputDataConfig", [])]
        variables: dict[str, Any] = {
            "SM_HOSTS": self._hosts,
            "SM_CURRENT_HOST": self._host.name,
            "SM_NETWORK_INTERFACE_NAME": "lo",
            "SM_HPS": self._hyperparameters,
            "SM_USER_ARGS": self.arguments(),
            "SM_USER_ENTRY_POINT": self._program,
            "SM_MODULE_NAME": self._program.removesuffix(".py"),
            "SM_MODULE_DIR": self._directory,
            "SM_CHANNELS": sorted(channels),
            "SM_NUM_CPUS": os.cpu_count(),
            "SM_NUM_GPUS": 0,
            "SM_INPUT_DIR": self._path(f"{ML}/input"),
            "SM_INPUT_CONFIG_DIR": self._path(f"{ML}/input/config"),
            "SM_OUTPUT_DIR": self._path(f"{ML}/output"),
            "SM_OUTPUT_DATA_DIR": self._path(f"{ML}/output/data"),
            "SM_MODEL_DIR": self._path(f"{ML}/model"),
            **{f"SM_CHANNEL_{name.upper()}": self._path(f"{ML}/input/data/{name}") for name in channels},
            **{f"SM_HP_{name.upper()}": value for name, value in self._hyperparameters.items()},
            "PYTHONPATH": self._path(CODE),
        }
        return {name: _variable(value) for name, value in variables.items()}

    def write_failure(self, code: int, command: list[str]) -> None:
        """The failure file of a script that failed and wrote none itself."""
        path = self._host.path("output/failure")
        if not path.exists():
            shown = " ".join(Path(part).name if index == 1 else part for index, part in enumerate(command))
            path.write_text(f'ExecuteUserScriptError:\nExitCode {code}\nErrorMessage ""\nCommand "{shown}"')

    def _place_code(self) -> None:
        target = self._host.path(CODE)
        if self._directory == CODE:
            return
        if self._directory.startswith("s3://"):
            self._download(target)
            return
        source = self._host.path(self._directory) if self._directory.startswith(f"{ML}/") else Path(self._directory)
        if not source.exists():
            raise JobError(f"AlgorithmError: {SUBMIT_DIRECTORY} {self._directory} is not there")
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            _extract(source, target)

    def _download(self, target: Path) -> None:
        if self._job.record.get("EnableNetworkIsolation"):
            raise JobError(
                f"AlgorithmError: a job with network isolation cannot download {SUBMIT_DIRECTORY} {self._directory}; "
                "give it as a channel"
            )
        folder = self._host.folder / "submitted"
        self._job.s3.download_object(self._directory, folder)
        _extract(next(folder.iterdir()), target)

    def _path(self, path: str) -> str:
        return self._host.inside(path)


def decoded(text: str) -> Any:
    """A hyperparameter as the toolkit gives it to a script: the JSON that it is, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _argument(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={each}" for key, each in sorted(value.items()))
    return "" if value is None else str(value)


def _variable(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _extract(archive: Path, target: Path) -> None:
    try:
        with tarfile.open(archive, mode="r:gz") as tar:
            tar.extractall(target, filter="data")
    except tarfile.TarError as error:
        raise JobError(f"AlgorithmError: {archive.name} is no .tar.gz: {error}") from error
