"""Mutation testing: changes one place of a file at a time and runs the tests that reach it; one of them has to fail.

`python -m tools.mutation [--limit N] [--seed S] [FILE …]`: of each file N mutants, the same ones for the same seed.
Files are those of the folders that FOLDERS has unless some are named. The tests of a folder are collected once (those that are
not slow, as `make test` runs them), and a first fork runs them to learn which lines each test reaches. Then each mutant gets a
fork of its own, in which the code of the loaded functions is replaced and the tests that reach the changed line run, the quick
ones first, until one fails. What survives in the functions of the queues meets fault sequences in memory (tests/faults). No
file is written.

Each mutant is printed with the test that kills it; exit code 1 when fewer than 90 % are killed.
"""

import argparse
import importlib
import os
import pickle
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import CodeType
from typing import IO, Any

import pytest

from .mutants import ROOT, Mutant, sample, unchanged, unknown_equivalents
from .replaced_code import real_path, replace_code

TESTS = ROOT / "tests/unit"
WANTED = 0.9
TIMEOUT_SECONDS = 30
"""Processor time that a mutant has, beside four times what its tests take."""
WAITING = 20
NOT_LOADED = "nothing of it is loaded"
LIBRARIES = ("numpy", "pandas", "scipy.stats", "pyarrow.parquet", "sklearn.metrics", "hypothesis", "boto3", "moto")
FOLDERS = {
    "jobs/drift": "drift/test_*.py",
    "jobs/evaluation": "jobs/evaluation/test_*.py",
    "jobs/monitoring": "jobs/monitoring/test_*.py",
    "lambda/retrain": "lambda/test_retrain*.py lambda/test_invalid_messages.py",
    "lambda/monitor": "lambda/test_monitor.py",
    "lambda/score": "lambda/test_score.py",
    "lambda/deploy": "lambda/test_deploy*.py lambda/test_trial_choice.py lambda/test_artifacts.py "
    "lambda/test_invalid_messages.py",
    "lambda/delivery": "lambda/test_delivery*.py lambda/test_promotion.py",
    "lambda/endpoint_cleanup": "lambda/test_endpoint_cleanup.py lambda/test_invalid_messages.py",
    "lambda/bucket_cleanup": "lambda/test_bucket_cleanup.py",
    "lambda/recorder": "lambda/test_recorder*.py lambda/test_evidence*.py",
    "lambda/record_signer": "lambda/test_record_signer.py",
    "lambda/publisher": "lambda/test_publisher*.py",
    "lambda/alerts": "lambda/test_alert*.py",
    "lambda/shared": "lambda/test_shared*.py lambda/test_chain.py lambda/test_artifacts.py lambda/test_build_log.py "
    "lambda/test_lineage_files.py lambda/test_queue_failures.py lambda/test_alerts.py lambda/test_promotion.py "
    "lambda/test_endpoint_cleanup.py lambda/test_retrain_decision.py lambda/test_invalid_messages.py",
}
"""By folder, patterns of its test files below tests/unit."""
FAULTS = {"lambda/retrain": "trainings", "lambda/deploy": "deployments", "lambda/endpoint_cleanup": "removals"}
"""By folder, the machine of tests/faults whose sequences run the functions of the folder."""
FAULT_STEPS = 1200


class Mutation:
    """A pytest plugin that runs the mutants of one folder instead of the collected tests.

    Args:
        folder: A key of FOLDERS.
        mutants: The mutants.
        report: Called with each mutant, whether it was killed, and by what.
    """

    def __init__(
        self, folder: str, mutants: list[Mutant], report: Callable[[Mutant, bool, str], None], out: IO[str]
    ) -> None:
        self._machine, self._mutants, self._report, self._out = FAULTS.get(folder), mutants, report, out
        self._is_function = folder.startswith("lambda/")
        self._sound: dict[tuple[str, str], bool] = {}
        self._files = {str(ROOT / each.file) for each in mutants}

    def pytest_runtestloop(self, session: Any) -> bool:
        """Run the mutants."""
        first = {item.path: item for item in reversed(session.items)} if self._is_function else {}
        for item in first.values():  # imports the function's modules, and starts what the session shares
            _runs(session, item)
        if self._machine:
            _run_faults(self._machine, 80)
        reached = _in_fork(lambda: _reached(session, self._files))
        failing = [name for name, _, lines in reached if lines is None]
        for name in failing:
            print(f"not used, as it fails without a change: {name}", file=self._out, flush=True)
        for mutant in self._mutants:
            killed, by = self._try(session, mutant, [each for each in reached if each[2] is not None])
            self._report(mutant, killed, by)
        return True

    def _try(
        self, session: Any, mutant: Mutant, reached: list[tuple[str, float, set[tuple[str, int]]]]
    ) -> tuple[bool, str]:
        items = {item.nodeid: item for item in session.items}
        file = str(ROOT / mutant.file)
        hits = (lambda found: (file, mutant.line) in found) if mutant.in_function else _any_of(file)
        ordered = sorted(reached, key=lambda each: each[1])
        hit = [(name, seconds) for name, seconds, lines in ordered if hits(lines)]
        if not (hit or mutant.in_function):  # a module of constants and classes has run before the tests
            hit = [(name, seconds) for name, seconds, _ in ordered]
        again = "" if mutant.in_function else mutant.file
        names, usual = [name for name, _ in hit], sum(seconds for _, seconds in hit)
        names = [name for name in names if self._sound.get((name, again), True)]

        def run() -> str:
            if not replace_code(mutant):
                return NOT_LOADED
            for name in names:
                if not _runs(session, items[name]):
                    return name
            if self._machine and mutant.in_function:
                try:
                    _run_faults(self._machine, FAULT_STEPS)
                except BaseException as error:
                    return f"faults: {str(error).splitlines()[0]}"
            return ""

        while True:
            answer = _in_fork(run, seconds=TIMEOUT_SECONDS + 4 * usual)  # a change may make a loop endless
            if answer not in names or self._is_sound(session, items[answer], again):
                return bool(answer) and answer != NOT_LOADED, answer or f"{len(names)} tests reach it"
            names.remove(answer)

    def _is_sound(self, session: Any, item: Any, again: str) -> bool:
        """Whether a test passes as the first one without a change: otherwise its failure says nothing about a mutant.

        `again`: a file that runs again without a change, as for one outside of functions: what a test patches may be another
        object then.
        """

        def run() -> bool:
            return (not again or replace_code(unchanged(again))) and _runs(session, item)

        if (item.nodeid, again) not in self._sound:
            self._sound[item.nodeid, again] = _in_fork(run) is True
        return self._sound[item.nodeid, again]


def _any_of(file: str) -> Callable[[set[tuple[str, int]]], bool]:
    return lambda found: any(name == file for name, _ in found)


def _runs(session: Any, item: Any) -> bool:
    """Run one test and whether it passes; what the session shares stays."""
    from _pytest.runner import runtestprotocol

    # The parent as the next item: pytest sets up no test that it has not torn down, and what the parent shares stays.
    session._setupstate.teardown_exact(item.parent)
    reports = runtestprotocol(item, log=False, nextitem=item.parent)
    return not any(report.failed for report in reports)


def _reached(session: Any, files: set[str]) -> list[tuple[str, float, set[tuple[str, int]] | None]]:
    """Name and seconds of each test, and the lines of `files` that it reaches; None when it fails."""
    found: set[tuple[str, int]] = set()
    monitoring, tool = sys.monitoring, sys.monitoring.PROFILER_ID

    def line(code: CodeType, number: int) -> Any:
        name = real_path(code.co_filename)
        if name not in files:
            return monitoring.DISABLE
        found.add((name, number))
        return None

    monitoring.use_tool_id(tool, "mutation")
    monitoring.register_callback(tool, monitoring.events.LINE, line)
    monitoring.set_events(tool, monitoring.events.LINE)
    answer: list[tuple[str, float, set[tuple[str, int]] | None]] = []
    for item in session.items:
        found.clear()
        began = time.process_time()
        passes = _runs(session, item)
        answer.append((item.nodeid, time.process_time() - began, set(found) if passes else None))
    return answer


def _in_fork(work: Callable[[], Any], seconds: float = 0) -> Any:
    """What `work` returns in a fork; a text when the fork ends otherwise.

    The fork is stopped after `seconds` of processor time (0: no limit), which does not depend on what else the machine does, or
    after WAITING times as long on the clock, where it only waits.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, seconds)
            signal.setitimer(signal.ITIMER_REAL, WAITING * seconds)
            with os.fdopen(writer, "wb") as out:
                pickle.dump(work(), out)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        content = answer.read()
    _, status = os.waitpid(child, 0)
    return pickle.loads(content) if content else _end(status)  # noqa: S301 (our own fork)


def _end(status: int) -> str:
    """How a process ended that returned nothing."""
    stopped = {signal.SIGPROF: "it takes too much processor time", signal.SIGALRM: "it waits without an end"}
    code = os.waitstatus_to_exitcode(status)
    return stopped.get(-code, f"its process ended with {code}")


def _run_faults(machine: str, steps: int) -> None:
    """Fault sequences of one machine; raises what they find."""
    module = importlib.import_module("tests.faults.run")
    module.run(module.MACHINES[machine], steps, 13, report=lambda _: None, shrink=False)


def main() -> int:
    """Run the mutants and print what becomes of them; 1 when too many survive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="default: all of the folders that FOLDERS has")
    parser.add_argument("--limit", type=int, default=10, help="mutants of a file (default 10)")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    if unknown := unknown_equivalents():
        sys.exit("EQUIVALENT has entries that fit no place of their file: " + "; ".join(unknown))
    for name in LIBRARIES:
        importlib.import_module(name)
    out = os.fdopen(os.dup(1), "w")
    sys.path.insert(0, str(ROOT))
    sys.dont_write_bytecode = True
    os.environ.setdefault("FUZZ_EXAMPLES", "25")  # of tests/unit/lambda/test_invalid_messages.py, for each mutant
    os.chdir(TESTS)
    files = [ROOT / path for path in chosen.files]
    results: list[tuple[str, bool]] = []
    for folder, patterns in FOLDERS.items():
        own = [path for path in sorted((ROOT / folder).glob("*.py")) if path.name != "__init__.py"]
        wanted = [path for path in own if not files or path in files or path.parent in files]
        mutants = [mutant for path in wanted for mutant in sample(path, chosen.limit, chosen.seed)]
        tests = [str(path.relative_to(TESTS)) for pattern in patterns.split() for path in sorted(TESTS.glob(pattern))]
        if mutants:
            results += _in_fork(partial(_run_folder, folder, mutants, tests, out))
    tried, killed = Counter(file for file, _ in results), Counter(file for file, is_killed in results if is_killed)
    for file, count in tried.items():
        print(f"{file}: {killed[file]} of {count} mutants killed", file=out)
    share = sum(killed.values()) / max(len(results), 1)
    print(f"{sum(killed.values())} of {len(results)} mutants killed ({share:.0%})", file=out, flush=True)
    return int(share < WANTED)


def _run_folder(folder: str, mutants: list[Mutant], tests: list[str], out: IO[str]) -> list[tuple[str, bool]]:
    results: list[tuple[str, bool]] = []

    def report(mutant: Mutant, is_killed: bool, by: str) -> None:
        results.append((mutant.file, is_killed))
        state = "killed  " if is_killed else "SURVIVED"
        print(f"{state} {mutant.file}:{mutant.line}: {mutant.change} ({by})", file=out, flush=True)

    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    pytest.main(
        ["-q", "-p", "no:cacheprovider", "-m", "not slow", *tests], plugins=[Mutation(folder, mutants, report, out)]
    )
    return results


if __name__ == "__main__":
    sys.exit(main())
