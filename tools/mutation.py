"""Mutation testing: changes one place of a file at a time and runs the tests that belong to it; a test has to fail.

`python -m tools.mutation [--limit N] [--seed S] [--all] [FILE …]`: of each file N mutants, the same ones for the same seed.
Files are those of lambda/, jobs/drift and jobs/evaluation unless some are named. A mutant meets the tests next to its file first:
those named after it, then, for the functions of the queues, fault sequences in memory (tests/faults). With `--all` the
survivors meet all tests of the file's folder, which may take minutes. Mutants that no test kills are printed; exit code 1 when
fewer than 90 % of a folder's mutants are killed. Mutants that change nothing that a test could see are in EQUIVALENT; one
that fits no place of its file is an error.

A mutated file replaces the original while its tests run; it is restored in every case, also at Ctrl-C and SIGTERM.
"""

import argparse
import ast
import importlib
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests/unit"
FOLDERS = ("lambda", "jobs/drift", "jobs/evaluation")
WANTED = 0.9
TIMEOUT_SECONDS = 600
LIBRARIES = ("numpy", "pandas", "scipy.stats", "pyarrow.parquet", "sklearn.metrics", "hypothesis", "boto3", "moto")
NEAR = {
    "jobs/drift": "drift/test_{name}_values.py drift/test_{name}.py",
    "jobs/evaluation": "jobs/evaluation/test_{name}.py jobs/evaluation/test_{name}_*.py",
    "lambda/retrain": "lambda/test_retrain_{name}.py",
    "lambda/deploy": "lambda/test_deploy_{name}.py",
    "lambda/delivery": "lambda/test_delivery_{name}.py lambda/test_delivery_decisions.py lambda/test_delivery.py",
    "lambda/endpoint_cleanup": "lambda/test_endpoint_cleanup.py",
    "lambda/bucket_cleanup": "lambda/test_bucket_cleanup.py",
    "lambda/recorder": "lambda/test_recorder_{name}.py lambda/test_{name}.py",
    "lambda/shared": "lambda/test_{name}.py",
}
"""By folder, patterns of the test files below tests/unit that are named after a source file."""
FAULTS = {"lambda/retrain": "trainings", "lambda/deploy": "deployments", "lambda/endpoint_cleanup": "removals"}
"""By folder, the machine of tests/faults whose sequences run the functions of the folder."""
FAULT_STEPS = 2500
FOLDER = {
    "jobs/drift": "drift/test_*.py",
    "jobs/evaluation": "jobs/evaluation/test_*.py",
    "lambda/retrain": "lambda/test_retrain*.py",
    "lambda/deploy": "lambda/test_deploy*.py",
    "lambda/delivery": "lambda/test_delivery*.py lambda/test_promotion.py",
    "lambda/endpoint_cleanup": "lambda/test_endpoint_cleanup.py",
    "lambda/bucket_cleanup": "lambda/test_bucket_cleanup.py",
    "lambda/recorder": "lambda/test_recorder*.py lambda/test_evidence*.py",
    "lambda/shared": "lambda/test_deploy.py lambda/test_retrain.py lambda/test_invalid_messages.py",
}
"""By folder, patterns of all of its test files."""
EQUIVALENT: dict[tuple[str, str], str] = {
    (
        "jobs/drift/decision.py",
        "1e-12 -> 1.000000000001",
    ): "the floor only prevents a division by zero: such bins deviate by 0",
    ("jobs/drift/decision.py", "1e-06 -> 1.000001"): "the order is the same where effects are compared",
}
"""By file and change, why no test can see it."""

COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
CALCULATED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change of a file: where, what, and the whole source with it."""

    file: str
    line: int
    change: str
    source: str


def mutants(file: Path) -> list[Mutant]:
    """All mutants of a file, in the order of their lines."""
    text = file.read_text()
    name = str(file.relative_to(ROOT))
    found = []
    for index in range(sum(1 for _ in ast.walk(ast.parse(text)))):
        number = 0
        while True:  # each change is made in a tree of its own
            tree = ast.parse(text)
            node = next(each for position, each in enumerate(ast.walk(tree)) if position == index)
            changes = [] if _is_option_of_dataclass(node, tree) else list(_changes(node))
            if number >= len(changes):
                break
            before = ast.unparse(node).splitlines()[0]
            changes[number]()
            after = (ast.unparse(node).splitlines() or ["pass"])[0]
            found.append(Mutant(name, getattr(node, "lineno", 0), f"{before} -> {after}", ast.unparse(tree)))
            number += 1
    return sorted(set(found), key=lambda each: (each.line, each.change))


def _changes(node: ast.AST) -> Iterator[Callable[[], object]]:
    """The changes of one node, as functions that make them in place."""
    match node:
        case ast.Compare(ops=[operator, *_]) if type(operator) in COMPARED:
            yield lambda: node.ops.__setitem__(0, COMPARED[type(operator)]())
        case ast.BoolOp():
            yield lambda: setattr(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.BinOp(right=ast.Constant(value=None)):
            pass  # a type
        case ast.BinOp() if type(node.op) in CALCULATED and not _is_text(node.left) and not _is_text(node.right):
            yield lambda: setattr(node, "op", CALCULATED[type(node.op)]())
        case ast.UnaryOp(op=ast.Not()):
            yield lambda: node.__dict__.update(op=ast.Not(), operand=ast.UnaryOp(ast.Not(), node.operand))
        case ast.UnaryOp(op=ast.USub()):
            yield lambda: setattr(node, "op", ast.UAdd())
        case ast.If() | ast.IfExp() | ast.While():
            yield lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
        case ast.Constant(value=bool()):
            yield lambda: setattr(node, "value", not node.value)
        case ast.Constant(value=int() | float() as value):
            yield lambda: setattr(node, "value", value + 1)
        case ast.Return(value=ast.expr()) if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield lambda: setattr(node, "value", ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise():
            yield lambda: node.__dict__.update(_removed(node))
        case _:
            pass


def _is_option_of_dataclass(node: ast.AST, tree: ast.AST) -> bool:
    """Whether a constant is the value of `frozen` or `slots`, which tests do not see."""
    options = (each for each in ast.walk(tree) if isinstance(each, ast.keyword) and each.arg in ("frozen", "slots"))
    return isinstance(node, ast.Constant) and any(each.value is node for each in options)


def _removed(node: ast.AST) -> dict[str, object]:
    """A statement that does nothing, as the attributes of `node`."""
    node.__class__ = ast.Expr  # type: ignore[assignment]
    return {"value": ast.Constant(None)}


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def tests_of(file: Path, folders: dict[str, str]) -> list[str]:
    """The test files of a source file by NEAR or FOLDER, below tests/unit."""
    patterns = folders[_folder(file, folders)].format(name=file.stem).split()
    found = [str(path.relative_to(TESTS)) for pattern in patterns for path in sorted(TESTS.glob(pattern))]
    return list(dict.fromkeys(found))


def _folder(file: Path, folders: dict[str, str]) -> str:
    name = str(file.relative_to(ROOT))
    return next((folder for folder in folders if name.startswith(f"{folder}/")), "")


def is_killed(mutant: Mutant, *, every: bool) -> bool:
    """Whether a test fails with the mutant; `every`: all tests of its folder, and not only the near ones."""
    path = ROOT / mutant.file
    original = path.read_bytes()
    try:
        path.write_text(mutant.source)
        return not passes(path, every=every)
    finally:
        path.write_bytes(original)


def passes(file: Path, *, every: bool) -> bool:
    """Whether the tests of a file pass, each group of them run in a fork."""
    near = tests_of(file, NEAR)
    groups: list[Callable[[], int]] = [lambda: _pytest(near)] if near else []
    if machine := FAULTS.get(_folder(file, FAULTS)):
        groups.append(lambda: _run_faults(machine))
    if every or not groups:
        groups.append(lambda: _pytest([name for name in tests_of(file, FOLDER) if name not in near]))
    return all(_run_in_fork(group) for group in groups)


def _run_in_fork(group: Callable[[], int]) -> bool:
    """Run tests in a fork, which has the libraries already: importing them takes longer than most tests."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.alarm(TIMEOUT_SECONDS)
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(silent, stream)
        sys.dont_write_bytecode = True
        code = group()
    finally:
        os._exit(code)


def _pytest(files: list[str]) -> int:
    os.chdir(TESTS)
    code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *files])
    return 0 if code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) else 1


def _run_faults(machine: str) -> int:
    """Fault sequences of one machine; whatever they raise is a failure."""
    module = importlib.import_module("tests.faults.run")
    module.run(module.MACHINES[machine], FAULT_STEPS, 13)
    return 0


def check_equivalent() -> None:
    """Exit with the entries of EQUIVALENT that fit no place of their file."""
    known = {(each.file, each.change) for name in {name for name, _ in EQUIVALENT} for each in mutants(ROOT / name)}
    if unknown := [f"{name}: {change}" for name, change in EQUIVALENT if (name, change) not in known]:
        sys.exit("EQUIVALENT has entries that fit no place of their file: " + "; ".join(unknown))


def sample(file: Path, limit: int, seed: int) -> list[Mutant]:
    """At most `limit` mutants of a file without the equivalent ones; the same for the same seed."""
    known = [each for each in mutants(file) if (each.file, each.change) not in EQUIVALENT]
    if len(known) <= limit:
        return known
    chosen = random.Random(f"{seed} {file.relative_to(ROOT)}").sample(range(len(known)), limit)  # noqa: S311 (no secret)
    return [known[index] for index in sorted(chosen)]


def main() -> int:
    """Run the mutants and print the survivors; 1 when a folder has too many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="default: all of lambda/, jobs/drift and jobs/evaluation")
    parser.add_argument("--limit", type=int, default=10, help="mutants of a file (default 10)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="all tests of the folder for what survives the near ones")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    check_equivalent()
    for name in LIBRARIES:
        importlib.import_module(name)
    every = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")) if path.name != "__init__.py")
    tried, killed = Counter[str](), Counter[str]()
    for file in [path.resolve() for path in chosen.files] or every:
        folder = str(file.parent.relative_to(ROOT))
        if not passes(file, every=chosen.all):
            sys.exit(f"{file.relative_to(ROOT)}: its tests fail without a change: {', '.join(tests_of(file, NEAR))}")
        for mutant in sample(file, chosen.limit, chosen.seed):
            started = time.monotonic()
            died = is_killed(mutant, every=chosen.all)
            tried[folder] += 1
            killed[folder] += died
            said = f"{'killed  ' if died else 'SURVIVED'} {mutant.file}:{mutant.line}: {mutant.change}"
            print(f"{said} ({time.monotonic() - started:.0f} s)", flush=True)
    for folder, count in tried.items():
        print(f"{folder}: {killed[folder]} of {count} mutants killed ({killed[folder] / count:.0%})", flush=True)
    return int(any(killed[folder] < WANTED * count for folder, count in tried.items()))


if __name__ == "__main__":
    sys.exit(main())
