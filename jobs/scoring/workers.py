"""Processes that score batches of rows with a version's own code: its modules have the same names as this package's.

A process loads the model once. Artifacts that were made before they could answer batch after batch load it for each batch.
"""

import json
import os
import queue
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..evaluation.champion import ENTRY_POINT, scoring_command
from ..failures import JobFailure
from .version import Artifact

MEMORY_OF_A_WORKER = 1 << 30
"""Bytes that a process needs beside three times its artifact: the libraries, and a batch in several forms."""


def count(artifact: Artifact) -> int:
    """Number of processes: one for each processor, if memory allows."""
    size = sum(path.stat().st_size for path in artifact.folder.rglob("*") if path.is_file())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(processors, memory // (MEMORY_OF_A_WORKER + 3 * size)))


class Workers:
    """`number` processes; `score` can be called by as many threads at a time."""

    def __init__(
        self, artifact: Artifact, number: int, folder: Path, environment: dict[str, str] | None = None
    ) -> None:
        self._free: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        # Each process has one processor: threads of several models on the same processors wait for each other.
        one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        variables = os.environ | one_thread | (environment or {}) if number > 1 else os.environ | (environment or {})
        self._all = [_Worker(artifact, folder / f"worker-{each}", variables) for each in range(number)]
        for worker in self._all:
            self._free.put(worker)

    def score(self, rows: pa.Table, first_row: int) -> np.ndarray:
        """Scores of raw rows, (rows,) or (rows x classes). `first_row`: the number of the first, from 0, for messages.

        Raises JobFailure with the reason of the version's code.
        """
        worker = self._free.get()
        try:
            return worker.score(rows, first_row)
        finally:
            self._free.put(worker)

    def stop(self) -> None:
        """End all processes."""
        for worker in self._all:
            worker.stop()


@contextmanager
def started(artifact: Artifact, number: int, environment: dict[str, str] | None = None) -> Generator[Workers]:
    """Processes that end with the block."""
    with tempfile.TemporaryDirectory() as folder:
        workers = Workers(artifact, number, Path(folder), environment)
        try:
            yield workers
        finally:
            workers.stop()


class _Worker:
    """One process, started with its first batch."""

    def __init__(self, artifact: Artifact, folder: Path, environment: dict[str, str]) -> None:
        self._artifact, self._environment = artifact, environment
        self._rows, self._out, self._errors = folder / "rows", folder / "scores.npy", folder / "errors.txt"
        self._rows.mkdir(parents=True)
        self._process: subprocess.Popen[str] | None = None
        self._one_by_one = not (artifact.folder / ENTRY_POINT).exists()

    def score(self, rows: pa.Table, first_row: int) -> np.ndarray:
        pq.write_table(rows, self._rows / "rows.parquet", compression="none")
        process = None if self._one_by_one else self._running()
        if process is None:
            return self._score_alone()
        request = {"rows": str(self._rows), "out": str(self._out), "row": first_row}
        answer = self._ask(process, json.dumps(request))
        if answer is None:
            self._process = None
            raise JobFailure(f"the version's process ended: {self._reason(process.wait())}")
        if "error" in answer:
            raise JobFailure(answer["error"])
        return np.load(self._out)

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def _running(self) -> "subprocess.Popen[str] | None":
        """The process; None for an artifact that scores one batch only, or whose model cannot be loaded."""
        if self._process is None:
            command = [
                *scoring_command(self._artifact.folder, self._rows, self._out)[:2],
                str(self._artifact.folder),
                "-",
            ]
            with self._errors.open("wb") as errors:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    env=self._environment,
                )
            if self._ask(self._process, "") is None:
                self._process.wait()
                self._process, self._one_by_one = None, True
        return self._process

    def _ask(self, process: "subprocess.Popen[str]", line: str) -> dict[str, Any] | None:
        """The answer to a line, or to none the first line of the process; None when it ended."""
        if process.stdin is None or process.stdout is None:
            return None
        try:
            if line:
                process.stdin.write(line + "\n")
                process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            return None
        return json.loads(answer) if answer else None

    def _score_alone(self) -> np.ndarray:
        """Scores of the rows by a process for this batch alone."""
        with self._errors.open("wb") as errors:
            command = scoring_command(self._artifact.folder, self._rows, self._out)
            done = subprocess.run(command, stdout=errors, stderr=errors, env=self._environment, check=False)
        if done.returncode != 0:
            raise JobFailure(self._reason(done.returncode))
        return np.load(self._out)

    def _reason(self, exit_code: int) -> str:
        lines = self._errors.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {exit_code}"
