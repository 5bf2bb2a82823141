"""Runs a buildspec of version 0.2: the commands of its phases in one shell, so that `cd` and `export` persist."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..processes import record
from ..toolchain import QUIET

PHASES = ("install", "pre_build", "build", "post_build")
# Ignored: a cache changes only a build's duration, and reports only appear in AWS's console.
KNOWN = {"version", "env", "phases", "artifacts", "cache", "reports"}
BIN = Path(sys.executable).parent


class SpecError(Exception):
    """The build cannot be run; the message says why."""


@dataclass(frozen=True)
class Outcome:
    """The result of a build: `failed` is None, or CodeBuild's message for the failure in `phase`."""

    spec: Any
    failed: str | None
    phase: str
    log: str


@dataclass(frozen=True)
class BuildSpec:
    """A parsed buildspec."""

    content: dict[str, Any]

    @classmethod
    def read(cls, text: str, source: Path) -> "BuildSpec":
        """From the project's own text, or from the file of the source that it names. Raises SpecError."""
        if "\n" not in text and "{" not in text:
            path = source / (text or "buildspec.yml")
            if not path.is_file():
                raise SpecError(f"YAML_FILE_ERROR: the source has no {path.name}")
            text = path.read_text()
        content = yaml.safe_load(text)
        if str(content.get("version")) != "0.2":
            raise SpecError(
                f"YAML_FILE_ERROR: the embedded AWS runs buildspecs of version 0.2, not {content.get('version')}"
            )
        if unknown := set(content) - KNOWN:
            raise SpecError(
                f"YAML_FILE_ERROR: the embedded AWS does not support {', '.join(sorted(unknown))} in a buildspec"
            )
        return cls(content)

    def commands(self) -> list[tuple[str, str]]:
        """(phase, command) in order."""
        phases = self.content.get("phases", {})
        return [(name, command) for name in PHASES for command in phases.get(name, {}).get("commands") or []]

    @property
    def variables(self) -> dict[str, str]:
        """Variables of the env section."""
        return {key: str(value) for key, value in self.content.get("env", {}).get("variables", {}).items()}

    def artifact(self, source: Path, name: str, *, alone: bool) -> tuple[Path, list[Path]]:
        """Base folder and files of an output: the only one, or the secondary artifact called `name`."""
        section = self.content.get("artifacts", {})
        if not alone:
            section = section.get("secondary-artifacts", {}).get(name, {})
        if not section.get("files"):
            raise SpecError(f"CLIENT_ERROR: the buildspec has no artifact for the output {name}")
        base = (source / section.get("base-directory", ".")).resolve()
        files = {path for pattern in section["files"] for path in base.glob(pattern) if path.is_file()}
        if not files:
            raise SpecError(f"CLIENT_ERROR: no matching artifact paths found in {base.name}")
        return base, sorted(files)


def run(spec: BuildSpec, source: Path, folder: Path, environment: dict[str, str], stopping: threading.Event) -> Outcome:
    """Run the phases in `source`; post_build also after a build that failed. The log is what the commands wrote."""
    commands = spec.commands()
    script = _script(commands, folder)
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["/bin/sh", str(script)],
            cwd=source,
            env=_base(folder) | spec.variables | environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        record(process.pid)
        while True:
            try:
                process.wait(0.2)
                break
            except subprocess.TimeoutExpired:
                if stopping.is_set():
                    os.killpg(process.pid, signal.SIGKILL)
    text = log.read_text(errors="replace")
    failures = (folder / "failed").read_text().split() if (folder / "failed").exists() else []
    if not failures and process.returncode:
        return Outcome(spec, f"the shell ended with exit status {process.returncode}", "BUILD", text)
    if not failures:
        return Outcome(spec, None, "COMPLETED", text)
    phase, command = commands[int(failures[0])]
    message = f"Error while executing command: {command}. Reason: exit status {failures[1]}"
    return Outcome(spec, message, phase.upper(), text)


def _script(commands: list[tuple[str, str]], folder: Path) -> Path:
    """One shell for all commands; after the first that fails only post_build goes on, and only after build."""
    lines = ["skip="]
    for number, (phase, command) in enumerate(commands):
        path = folder / f"command-{number}"
        path.write_text(command)
        wanted = '[ -z "$skip" ] || [ "$skip" = build ]' if phase == "post_build" else '[ -z "$skip" ]'
        lines += [
            f"if {wanted}; then",
            f"  echo '[Container] Phase {phase}: running command {number}'",
            f'  eval "$(cat {path})"',
            "  status=$?",
            '  if [ "$status" -ne 0 ]; then',
            f"    skip={phase}",
            *_failure_lines(phase, path),
            f"    [ -e {folder}/failed ] || echo {number} $status > {folder}/failed",
            "  fi",
            "fi",
        ]
    script = folder / "build.sh"
    script.write_text("\n".join(lines) + "\n")
    return script


def _failure_lines(phase: str, command: Path) -> list[str]:
    """Lines of the script that log a failed command as CodeBuild's agent does, at the end of what the command wrote."""
    time = "$(date -u '+%Y/%m/%d %H:%M:%S')"
    reason = "Message: Error while executing command: %s. Reason: exit status %s"
    texts = (
        (r"Command did not exit successfully %s exit status %s\n", f' "$(cat {command})" "$status"'),
        (rf"Phase complete: {phase.upper()} State: FAILED\n", ""),
        (rf"Phase context status code: COMMAND_EXECUTION_ERROR {reason}\n", f' "$(cat {command})" "$status"'),
    )
    return [f"    printf '[Container] %s {text}' \"{time}\"{values}" for text, values in texts]


def _base(folder: Path) -> dict[str, str]:
    """The variables of the build image: this environment's tools first, a separate home, no credentials."""
    inherited = ("LANG", "LC_ALL", "TMPDIR", "TZ", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    return {
        **{key: os.environ[key] for key in inherited if key in os.environ},
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        # With a separate home every build would unpack jsii's packages again, which takes longer than to synthesize.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path.home() / ".cache" / "aws" / "jsii" / "package-cache"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **QUIET,
    }
