"""The memory of the machine: whether rows fit, and a reason that is there already when the operating system kills the job."""

import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import failures

GB = 1e9
NEARLY_FULL = 0.03
"""Share of the memory; with less available, the reason is written."""
INTERVAL_SECONDS = 0.5
ADVICE = {
    "train": "choose a larger training.instance in model.yaml, train on fewer partitions (retrain.window), or define "
    "train_batches in model.py instead of train",
    "monitor": "choose a larger monitoring.instance in model.yaml",
}
"""What to do, by job; for any other job the instance is another key."""


@dataclass(frozen=True)
class Memory:
    """Bytes of memory: all, and what a process can still get."""

    total: int
    available: int


def read(root: Path = Path("/")) -> Memory:
    """The memory of this container: the machine's, or the limit of its control group (version 2 or 1) when that is lower.

    Only Linux says what is available; elsewhere, where tests run, all memory is.
    """
    if not (root / "proc/meminfo").exists():
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return Memory(total, total)
    lines = (root / "proc/meminfo").read_text().splitlines()
    kibibytes = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
    memory = Memory(kibibytes["MemTotal"] * 1024, kibibytes["MemAvailable"] * 1024)
    group = root / "sys/fs/cgroup"
    for limit, used in (
        (group / "memory.max", group / "memory.current"),
        (group / "memory/memory.limit_in_bytes", group / "memory/memory.usage_in_bytes"),
    ):
        if limit.is_file() and (text := limit.read_text().strip()).isdigit() and int(text) < memory.total:
            left = int(text) - int(used.read_text()) + _file_cache(limit.parent)
            memory = Memory(int(text), min(memory.available, left))
    return memory


def _file_cache(group: Path) -> int:
    """Bytes that the group's files have in memory and that the system takes back when it needs them."""
    statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    return int(statistics.get("inactive_file", 0))


def too_little(job: str, what: str, available: int) -> str:
    """The reason for a job that does not get the memory that it needs: `what` says for what."""
    advice = ADVICE.get(job, "choose a larger training.processing_instance in model.yaml")
    return f"{what}, and {available / GB:.1f} GB of memory are available; {advice}"


@contextmanager
def reason_in_advance(job: str, read: Callable[[], Memory] = read) -> Generator[None]:
    """Write the reason of a failure as long as the memory is nearly full.

    The operating system kills a process that needs more with SIGKILL, and then the process cannot say why.
    """
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(job, read, ended), daemon=True)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()


def _watch(job: str, read: Callable[[], Memory], ended: threading.Event) -> None:
    written = False
    while not ended.wait(INTERVAL_SECONDS):
        memory = read()
        nearly_full = memory.available < NEARLY_FULL * memory.total
        if nearly_full and not written:
            what = f"{job} needs more memory than there is: {memory.total / GB:.1f} GB are in use"
            reason = too_little(job, what, memory.available)
            print(f"{job}: {reason}", flush=True)
            failures.write_reason(reason)
        elif written and not nearly_full:
            failures.remove_reason()
        written = nearly_full
    if written:
        failures.remove_reason()
