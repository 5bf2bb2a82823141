"""Runs `get_pipeline` at synth, in a process of its own, and keeps the answer in the user's cache by a digest of its input."""

import hashlib
import json
import os
import re
import subprocess
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import ConfigError, Mistake, ModelConfig, line_of
from ..core.user_cache import user_cache
from ..definition.mistakes import nearest
from .code_files import CodeFiles, take_code
from .placeholders import ACCOUNT, values
from .sdk import python_with_sdk, sdk_identity
from .steps import FUNCTIONS, step_mistakes

PIPELINE = "pipeline.py"
_PROCESS = Path(__file__).with_name("process")
_LEFT_OUT = {"__pycache__", "data", ".pytest_cache", ".ipynb_checkpoints"}
_FORMAT = 1
_SECONDS = 300
_REGISTRY = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/")


@dataclass(frozen=True)
class Synthesized:
    """The definition of an own pipeline, with placeholders (placeholders.py), and the code that it uploads.

    Args:
        definition: The definition as data.
        code: The files.
        sdk: Version of the SageMaker SDK that wrote it.
    """

    definition: dict[str, Any]
    code: CodeFiles
    sdk: str

    def evidence(self, config: ModelConfig, region: str) -> dict[str, bytes]:
        """The code, and what else decides what a training does: content by name, the same for every region.

        Args:
            config: The content of model.yaml.
            region: The region that the definition was written for.
        """
        text = json.dumps(self.definition, indent=1, sort_keys=True)
        text = _REGISTRY.sub("", text).replace(region, "{region}")
        parameters = config.pipeline.parameters if config.pipeline else {}
        given = json.dumps(parameters, indent=1, sort_keys=True)
        return {**self.code.files, "pipeline.json": text.encode(), "parameters.json": given.encode()}


def has_own_pipeline(project: Path) -> bool:
    """Whether a model's folder has a pipeline.py."""
    return (project / PIPELINE).is_file()


def synthesize(config: ModelConfig, project: Path, region: str) -> Synthesized:
    """The pipeline of `project` for a region. The first time after a change it takes seconds, because of the SDK.

    Args:
        config: The content of model.yaml.
        project: The model's folder.
        region: Region of the environment; images have registries of their region.

    Raises:
        ConfigError: pipeline.py, or what it needs, is wrong; the message has the line.
    """
    path = (project / PIPELINE).resolve()
    arguments = config.pipeline.arguments if config.pipeline else {}
    identity = {"format": _FORMAT, "region": region, "model": config.name, "arguments": arguments}
    identity |= {"sdk": sdk_identity(project), "files": dict(_digests(project)), "process": dict(_digests(_PROCESS))}
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    target = user_cache() / "pipelines" / f"{digest}.json"
    if not target.is_file():
        request = {"pipeline": str(path), "account": ACCOUNT, "values": values(region, config.name)}
        _run(request | {"arguments": arguments}, target, project)
    answer = json.loads(target.read_text(encoding="utf-8"))
    definition, code = take_code(
        answer["definition"], {key: b64decode(content) for key, content in answer["files"].items()}
    )
    return Synthesized(definition, code, answer["sdk"])


def checked_pipeline(config: ModelConfig, project: Path, region: str) -> Synthesized:
    """As `synthesize`, with the steps and the parameters checked. Raises ConfigError with every mistake."""
    own = synthesize(config, project, region)
    path = project / PIPELINE
    mistakes = [Mistake(path, None, message) for message in step_mistakes(own.definition, own.sdk)]
    declared = {each["Name"] for each in own.definition.get("Parameters", [])}
    model, given = project / "model.yaml", config.pipeline.parameters if config.pipeline else {}
    mistakes += [
        Mistake(
            model,
            line_of(model, "pipeline", "parameters", name),
            f"pipeline.parameters: the pipeline of pipeline.py has no parameter {name!r}; {nearest(name, declared)}",
        )
        for name in given
        if name not in declared
    ]
    mistakes += [
        Mistake(
            path,
            None,
            f"the parameter {each['Name']!r} of the pipeline has no default, and trainings that start by themselves give it "
            "none; give a value in pipeline.parameters of model.yaml",
        )
        for each in own.definition.get("Parameters", [])
        if "DefaultValue" not in each and each["Name"] not in given
    ]
    if mistakes:
        raise ConfigError(mistakes)
    return own


def _run(request: dict[str, Any], target: Path, project: Path) -> None:
    """Write the definition to `target`. Raises ConfigError."""
    python = python_with_sdk(project)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        answer = Path(temporary) / "answer.json"
        try:
            done = subprocess.run(
                [python, str(_PROCESS)],
                input=json.dumps(request | {"target": str(answer)}),
                capture_output=True,
                text=True,
                check=False,
                env=_environment(request["values"]["region"]),
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise _error(project, f"get_pipeline did not return within {_SECONDS} seconds") from None
        if not answer.is_file():
            last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no output")
            raise _error(project, f"its process ended with status {done.returncode}: {last.strip()[:600]}")
        content = json.loads(answer.read_text(encoding="utf-8"))
        if "mistake" in content:
            message = f"uses the decorator @step. {FUNCTIONS}" if content["of_function"] else content["mistake"]
            raise _error(project, message, content["line"])
        answer.rename(target)


def _error(project: Path, message: str, line: int | None = None) -> ConfigError:
    return ConfigError([Mistake(project / PIPELINE, line, message)])


def _environment(region: str) -> dict[str, str]:
    """Variables of the process: no credentials and no configuration of this person's, so that all get the same."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAGEMAKER_"))}
    nowhere = os.devnull
    return kept | {
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ACCESS_KEY_ID": "synth",
        "AWS_SECRET_ACCESS_KEY": "synth",
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_TELEMETRY_OPT_OUT": "true",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    """SHA-256 of each file that `get_pipeline` may read or upload, by its name."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not _LEFT_OUT.intersection(parts) and path.suffix != ".pyc":
            yield "/".join(parts), hashlib.sha256(path.read_bytes()).hexdigest()
