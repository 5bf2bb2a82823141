"""The memory of a container, and the reason that is written before the operating system kills a job."""

import threading

import pytest

from jobs import memory
from jobs.memory import Memory

GIB = 2**30


@pytest.fixture
def machine(tmp_path):
    """Writes the files of a machine with 16 GiB, of which 12 are available, and those of its control group."""

    def write(files: dict[str, str]) -> Memory:
        meminfo = f"MemTotal:       {16 * 2**20} kB\nMemFree: 1 kB\nMemAvailable:   {12 * 2**20} kB\n"
        for name, text in {"proc/meminfo": meminfo, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return memory.read(tmp_path)

    return write


def version_2(limit: str) -> dict[str, str]:
    return {
        "sys/fs/cgroup/memory.max": limit,
        "sys/fs/cgroup/memory.current": str(3 * GIB),
        "sys/fs/cgroup/memory.stat": f"anon 1\ninactive_file {GIB}\n",
    }


def version_1(limit: str) -> dict[str, str]:
    return {
        "sys/fs/cgroup/memory/memory.limit_in_bytes": limit,
        "sys/fs/cgroup/memory/memory.usage_in_bytes": str(3 * GIB),
        "sys/fs/cgroup/memory/memory.stat": f"cache 1\ninactive_file {GIB}\n",
    }


@pytest.mark.parametrize("group", [version_1, version_2])
def test_limit_of_control_group_is_the_memory(machine, group):
    assert machine(group(str(4 * GIB))) == Memory(4 * GIB, 2 * GIB)


@pytest.mark.parametrize("files", [{}, version_2("max"), version_1(str(2**63 - 4096))])
def test_without_limit_the_machine_is_the_memory(machine, files):
    assert machine(files) == Memory(16 * GIB, 12 * GIB)


@pytest.fixture
def read(monkeypatch):
    """A reader of memory, and what waits until it was asked twice more, so that the first answer was acted on."""
    monkeypatch.setattr(memory, "INTERVAL_SECONDS", 0.001)
    answer, asked = [Memory(16 * GIB, 12 * GIB)], threading.Semaphore(0)

    def reader() -> Memory:
        asked.release()
        return answer[0]

    def wait(available: int) -> None:
        answer[0] = Memory(16 * GIB, available)
        while asked.acquire(blocking=False):
            pass
        for _ in range(3):
            assert asked.acquire(timeout=60)

    reader.wait = wait
    return reader


def test_reason_is_there_while_memory_is_nearly_full(ml, read, capsys):
    failure = ml / "output/failure"
    with memory.reason_in_advance("train", read):
        read.wait(available=GIB // 10)
        assert failure.read_text() == (
            "train needs more memory than there is: 17.2 GB are in use, and 0.1 GB of memory are available; choose a "
            "larger training.instance in model.yaml, train on fewer partitions (retrain.window), or define train_batches in "
            "model.py instead of train"
        )
        read.wait(available=8 * GIB)
        assert not failure.exists()
    assert capsys.readouterr().out.count("train needs more memory") == 1


def test_job_that_ends_leaves_no_reason(ml, read):
    with memory.reason_in_advance("evaluate", read):
        read.wait(available=0)
        assert "training.processing_instance" in (ml / "output/message").read_text()
    assert not list((ml / "output").iterdir())
