"""The Python that has the SageMaker SDK of a pipeline.py: this one, or an environment made of pipeline-requirements.txt."""

import hashlib
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from ..config import ConfigError, Mistake
from ..core.user_cache import user_cache

REQUIREMENTS = "pipeline-requirements.txt"


def sdk_identity(project: Path) -> str:
    """What decides which SDK writes the definition: the requirements, or the version that is installed here."""
    requirements = project / REQUIREMENTS
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if requirements.is_file():
        return f"{python} {hashlib.sha256(requirements.read_bytes()).hexdigest()}"
    try:
        return f"{python} sagemaker {version('sagemaker')}"
    except PackageNotFoundError:
        return f"{python} without SDK"


def python_with_sdk(project: Path) -> str:
    """Path of the Python. An environment is made once for the same requirements, which needs a package index.

    Args:
        project: The model's folder.

    Raises:
        ConfigError: There is no SDK, or the requirements cannot be installed.
    """
    requirements = project / REQUIREMENTS
    if not requirements.is_file():
        if find_spec("sagemaker") is None:
            raise ConfigError(
                [
                    Mistake(
                        requirements,
                        None,
                        "there is no such file, and the SageMaker SDK is not installed here; write the SDK that pipeline.py "
                        "needs into it, such as `sagemaker>=3`",
                    )
                ]
            )
        return sys.executable
    digest = hashlib.sha256(sdk_identity(project).encode()).hexdigest()[:32]
    folder = user_cache() / "pipeline-sdks" / digest
    if not (folder / "ready").is_file():
        _install(requirements, folder)
    return str(folder / "bin" / "python")


def _install(requirements: Path, folder: Path) -> None:
    from uv import find_uv_bin  # here and not above: most synths have no such environment

    folder.parent.mkdir(parents=True, exist_ok=True)
    uv = [find_uv_bin(), "--quiet", "--color", "never"]
    with tempfile.TemporaryDirectory() as elsewhere:  # a pyproject.toml of the repository would take part
        for command in (
            [*uv, "venv", "--clear", "--python", sys.executable, str(folder)],
            [*uv, "pip", "install", "--python", str(folder / "bin" / "python"), "-r", str(requirements.resolve())],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=elsewhere)
            if done.returncode:
                reason = " ".join(done.stderr.split())[:600]
                raise ConfigError([Mistake(requirements, None, f"cannot be installed: {reason}")])
    (folder / "ready").touch()
