"""The groups of tests, which `make test`, `make test-slow` and their parts run: two groups at a time, the longest first.

Moto and the embedded AWS keep their state in the process, so each group has a pytest process of its own. Each group's output is
printed when it ends. A test compares the groups with the test files.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LANES = 2


@dataclass(frozen=True)
class Group:
    """One process. `paths` are below tests/; `marker` selects tests, as pytest's -m.

    `seconds`: of processor time, all of its tests. `quick`: those that are not marked `slow`, which `make test` runs; None
    when it has no slow test, 0 when `make test` does not run it.
    """

    name: str
    seconds: int
    paths: tuple[str, ...] = ()
    marker: str = ""
    quick: int | None = None

    @property
    def command(self) -> list[str]:
        """The command line of the process."""
        if not self.paths:
            return ["make", "--no-print-directory", self.name]
        marker = ["-m", self.marker] if self.marker else []
        return ["pytest", "--quiet", *[f"tests/{path}" for path in self.paths], *marker]

    def has(self, path: Path) -> bool:
        """Whether the group runs a test file, apart from its marker; the path is below tests/."""
        return any(path.is_relative_to(each) for each in self.paths)

    def quick_part(self) -> "Group | None":
        """What `make test` runs of it."""
        if self.quick is None:
            return self
        marker = " and ".join([*filter(None, [self.marker]), "not slow"])
        return replace(self, seconds=self.quick, marker=marker, quick=None) if self.quick else None


GROUPS = (
    Group("lint", 11),
    Group("unit/lambda", 88, ("unit/lambda",)),
    Group("unit/sagemaker", 55, ("unit/local_aws/sagemaker",), quick=36),
    Group("unit/jobs", 65, ("unit/jobs",), quick=45),
    Group("unit/drift", 35, ("unit/drift",), quick=15),
    Group("unit/authorized", 25, ("unit/local_aws/authorized",)),
    Group(
        "unit/embedded-aws",
        60,
        tuple(f"unit/local_aws/{folder}" for folder in ("authorization", "codepipeline", "kept", "rules")),
        quick=35,
    ),
    Group("unit/faults", 25, ("faults",)),
    Group(
        "unit/others",
        85,
        (
            "unit/config",
            "unit/constructs",
            "unit/local_aws/messaging",
            "unit/local_aws/test_alarm_evaluation.py",
            "unit/local_aws/test_alarms.py",
            "unit/local_aws/test_function_processes.py",
            "unit/local_aws/test_imports.py",
            "unit/local_aws/test_metric_math.py",
            "unit/local_aws/test_object_versions.py",
            "unit/local_aws/test_security_groups.py",
            "unit/local_aws/test_step_graph.py",
            "unit/test_completeness.py",
            "unit/test_groups.py",
            "unit/test_mutants.py",
            "unit/test_image_contract.py",
            "unit/test_own_image.py",
            "test_models.py",
        ),
        quick=70,
    ),
    Group("unit/ops", 100, ("unit/ops",), quick=62),
    Group("stacks", 200, ("stacks", "examples"), quick=125),
    Group("documentation", 45, ("docs",), quick=29),
    Group("e2e/scenarios", 310, ("e2e",), "not permissions", quick=90),
    Group("e2e/permissions", 130, ("e2e",), "permissions", quick=0),
    Group("e2e-delivery", 400, ("e2e_delivery",), quick=147),
    Group("packaging/library", 130, ("packaging",), quick=0),
    Group("packaging/embedded-aws", 40, ("local_aws_standalone",), quick=25),
    Group("conformance", 50, ("conformance",), quick=0),
)


def select(*names: str) -> list[Group]:
    """The groups of names (`unit` is every `unit/…`), the longest first. Raises LookupError.

    `all` is every group; `test` those without slow tests and the others' quick parts; `slow` the others.
    """
    chosen: dict[str, Group] = {}
    for name in names:
        found = [part for each in GROUPS if (part := _part(each, name))]
        if not found:
            raise LookupError(f"no group {name!r}; there are {', '.join(each.name for each in GROUPS)}")
        chosen |= {each.name: each for each in found}
    return _longest_first(chosen.values())


def _longest_first(groups: Iterable[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: -group.seconds)


def _part(group: Group, name: str) -> Group | None:
    """What the name selects of a group."""
    if name == "test":
        return group.quick_part()
    if name == "slow":
        return None if group.quick is None else group
    return group if name == "all" or group.name == name or group.name.startswith(f"{name}/") else None


@dataclass(frozen=True)
class Result:
    """What a group printed, whether it passed, and its seconds and seconds of processor time."""

    group: Group
    output: str
    passed: bool
    seconds: float
    processor_seconds: float


def run(group: Group) -> Result:
    """Run a group to its end."""
    left_out = ("MAKE", "MFLAGS", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    # Threads of two processes that wait for each other on two cores take five times the processor time of the work.
    environment["OMP_NUM_THREADS"] = "1"
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            group.command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    processor = usage.ru_utime + usage.ru_stime
    return Result(group, text, process.returncode == 0, time.monotonic() - began, processor)


def run_all(groups: Sequence[Group]) -> bool:
    """Run groups, some at a time, and print what each said when it ends; whether all passed."""
    began, results = time.monotonic(), list[Result]()
    with ThreadPoolExecutor(LANES) as lanes:
        try:
            for ended in as_completed([lanes.submit(run, group) for group in groups]):
                results.append(ended.result())
                print(_report(results[-1]), flush=True)
        except KeyboardInterrupt:
            lanes.shutdown(cancel_futures=True)
            raise
    print(_summary(results, time.monotonic() - began))
    return all(result.passed for result in results)


def _report(result: Result) -> str:
    how = "passed" if result.passed else "FAILED"
    times = f"{result.seconds:.0f} s, {result.processor_seconds:.0f} s of processor time"
    return f"{result.output.rstrip()}\n==== {result.group.name} {how} in {times}: {shlex.join(result.group.command)}\n"


def _summary(results: Sequence[Result], seconds: float) -> str:
    failed = sorted(result.group.name for result in results if not result.passed)
    processor = sum(result.processor_seconds for result in results)
    times = f"{seconds:.0f} s, {processor:.0f} s of processor time"
    if failed:
        return f"{len(failed)} of {len(results)} groups FAILED ({times}): {', '.join(failed)}"
    return f"every group passed: {len(results)} in {times}"


def main(arguments: Iterable[str] | None = None) -> int:
    """Run the named groups, or list their paths. Returns 1 when one failed, 130 when it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tools.test_groups", description=__doc__)
    parser.add_argument("--paths", action="store_true", help="print each group's paths in a line instead of running it")
    parser.add_argument("--quick", action="store_true", help="leave slow tests out, as `test` does")
    parser.add_argument("names", nargs="+", help="test, slow, all, or names of groups or of their parts")
    options = parser.parse_args(None if arguments is None else list(arguments))
    try:
        groups = select(*options.names)
        if options.quick:
            groups = _longest_first(part for group in groups if (part := group.quick_part()))
    except LookupError as error:
        parser.error(str(error.args[0]))
    if options.paths:
        print("\n".join(" ".join(f"tests/{path}" for path in group.paths) for group in groups if group.paths))
        return 0
    try:
        return 0 if run_all(groups) else 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
