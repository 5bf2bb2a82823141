"""Every command in the documentation exists, with its options, and a table says which test runs it."""

import re

import pytest

from . import commands
from .pages import ROOT, blocks, inline_code, name, pages

SHELL = blocks("shell")


@pytest.mark.parametrize("block", SHELL, ids=map(str, SHELL))
def test_shell_block_is_valid(block):
    for words in commands.command_lines(block.text):
        assert commands.problem(words) is None


@pytest.mark.parametrize("page", pages(), ids=name)
def test_inline_command_is_valid(page):
    for line, code in inline_code(page.read_text()):
        if re.match(r"(model-factory|local-aws|cdk|make) [a-z-]", code):
            words = next(commands.command_lines(code))
            assert commands.problem(words, complete=False) is None, f"{name(page)}:{line}: {code}"


@pytest.mark.parametrize(("command", "file"), commands.RUN_BY.items())
def test_table_names_file_that_runs_command(command, file):
    assert f'"{command.split()[-1]}"' in (ROOT / file).read_text()


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("model-factory retrian churn", "model-factory has no command 'retrian'"),
        ("model-factory retrain churn --fast", "No such option: --fast"),
        ("model-factory retrain", "Missing parameter: model"),
        ("model-factory local down", "model-factory has no command 'down'"),
        ("cdk deploi --all", "cdk has no command 'deploi'"),
        ("cdk deploy --everything", "cdk deploy has no option --everything"),
        ("cdk watch", "'cdk watch' is in no table"),
        ("make demmo", "the Makefile has no target demmo"),
        ("terraform apply", "terraform is in no table"),
        ("pip install model-factory", "only local-aws, model-factory-cdk, pre-commit"),
        ("python -m benchmarks.nothing", "there is no such module"),
        ("cd x && make demmo", "the Makefile has no target demmo"),
    ],
)
def test_checker_refuses_invalid_command(line, wrong):
    problems = [str(commands.problem(words)) for words in commands.command_lines(line)]
    assert any(wrong in each for each in problems), problems


def test_checker_accepts_valid_commands():
    for line in ("model-factory retrain churn --env dev", "make test", "cdk deploy 'acme-*' --require-approval never"):
        assert [commands.problem(words) for words in commands.command_lines(line)] == [None]


def test_command_documented_ahead_must_not_exist(monkeypatch):
    monkeypatch.setattr(commands, "PENDING", ("model-factory validate",))
    assert "remove it from PENDING" in str(commands.problem(["model-factory", "validate"]))
