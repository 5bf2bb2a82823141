"""Forked processes of containers behave as new Python processes."""

import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from local_aws.sagemaker.service import PRELOADED
from local_aws.warm import Starter


@pytest.fixture(scope="module")
def starter():
    closers = []
    yield Starter(closers.append, PRELOADED)
    for close in closers:
        close()


@pytest.fixture
def light():
    """Makes starters whose template imports no library, which takes it seconds; with the functions that close them."""
    closers = []
    yield lambda unforked: (Starter(closers.append, (), unforked), closers)
    for close in closers:
        close()


@pytest.fixture
def run(starter, tmp_path):
    """Runs a script to its end; process, exit code and output."""
    return lambda *arguments, **more: run_with(starter, tmp_path, *arguments, **more)


def run_with(starter, tmp_path, text, *arguments, name="script.py", **environment):
    script = tmp_path / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(script, "w") as archive:
            archive.writestr("__main__.py", text)
    else:
        script.write_text(text)
    with (tmp_path / "output").open("w+b") as output:
        command = [sys.executable, str(script), *arguments]
        process = starter.start(command, tmp_path, {"A": "1", **environment}, output)
        code = process.wait(60)
        output.seek(0)
        return process, code, output.read().decode()


def is_forked(process):
    return not isinstance(process, subprocess.Popen)


@pytest.mark.parametrize("name", ["script.py", "script.zip"])
def test_forked_process_gets_only_its_environment(run, tmp_path, name):
    text = (
        "import os, sys\n"
        "print(__name__, sys.argv[1:], os.getcwd(), dict(os.environ))\n"
        "print(sys.path[0], file=sys.stderr)\n"
        "print(sys.stdin.read() == '')"
    )
    process, code, output = run(text, "a", "b", name=name)
    assert is_forked(process)
    assert code == 0
    first = tmp_path if name.endswith(".py") else tmp_path / name
    assert output.splitlines() == [f"__main__ ['a', 'b'] {tmp_path} {{'A': '1'}}", str(first), "True"]


def test_forked_process_has_libraries_preloaded(run):
    libraries = {"pandas", "scipy.stats", "sklearn.ensemble", "sklearn.linear_model"}
    assert run(f"import sys\nprint({libraries} <= set(sys.modules))")[2] == "True\n"


def test_preloaded_scikit_learn_is_what_ensemble_imports(run):
    listing = "import sys\nprint(*[m for m in sys.modules if m.startswith('sklearn.') and '._' not in m])"
    packages = run(listing)[2].split()
    assert len(packages) > 20
    assert not [name for name in packages if name.startswith("sklearn.experimental")]
    used = "\n".join(packages)
    done = subprocess.run([sys.executable, "-c", f"import sklearn.ensemble\n{used}"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "code", "output"),
    [
        ("raise SystemExit(3)", 3, ""),
        ("import sys; sys.exit()", 0, ""),
        ("raise SystemExit('no data')", 1, "no data\n"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
        ("import atexit; atexit.register(print, 'bye')", 0, "bye\n"),
        (
            "import threading, time; threading.Thread(target=lambda: (time.sleep(0.1), print('done'))).start()",
            0,
            "done\n",
        ),
    ],
)
def test_forked_process_exits_like_python(run, text, code, output):
    assert run(text)[1:] == (code, output)


def test_exception_is_logged_with_exit_code_one(run):
    _, code, output = run("1 / 0")
    assert code == 1
    assert output.endswith("ZeroDivisionError: division by zero\n")


def test_forked_processes_have_different_random_numbers(run):
    text = "import random, numpy\nprint(random.random(), numpy.random.rand())"
    first, second = run(text)[2].split(), run(text)[2].split()
    assert not set(first) & set(second)


def test_changed_service_model_reaches_no_other_reader(run):
    text = (
        "from botocore.loaders import JSONFileLoader, Loader\n"
        "loaders = Loader(), Loader()\n"
        "first, second = (loader.load_service_model('s3', 'service-2') for loader in loaders)\n"
        "first.clear()\n"
        "print(len(second) > 3)"
    )
    assert run(text)[2] == run(text)[2] == "True\n"


@pytest.mark.parametrize("variable", ["OMP_NUM_THREADS", "PYTHONPATH", "LD_PRELOAD"])
def test_import_time_variables_prevent_forking(run, variable):
    process, code, output = run(f"import os\nprint(os.environ['{variable}'])", **{variable: ""})
    assert not is_forked(process)
    assert (code, output) == (0, "\n")


def test_first_processes_are_not_forked(light, tmp_path):
    starter, _ = light(unforked=1)
    first, second = sleeping(starter, tmp_path), sleeping(starter, tmp_path)
    assert (is_forked(first), is_forked(second)) == (False, True)
    for process in (first, second):
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait(60) == -9


def test_every_process_is_forked_when_many_will_be(light, tmp_path):
    starter, _ = light(unforked=1)
    starter.fork_all()
    process = sleeping(starter, tmp_path)
    assert is_forked(process)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(60) == -9


def sleeping(starter, tmp_path):
    script = tmp_path / "sleep.py"
    script.write_text("import time\ntime.sleep(600)")
    with (tmp_path / "output").open("wb") as output:
        return starter.start([sys.executable, str(script)], tmp_path, {}, output)


def gone(pid):
    for _ in range(3000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_kill_ends_forked_process_and_its_children(starter, tmp_path):
    process = sleeping(starter, tmp_path)
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(60) == -9
    assert process.poll() == -9


def test_server_stop_ends_all_processes(light, tmp_path):
    starter, closers = light(unforked=0)
    process = sleeping(starter, tmp_path)
    closers.pop()()
    assert process.wait(60) == -1
    assert gone(process.pid)


def test_killed_template_is_started_again(light, tmp_path):
    starter, _ = light(unforked=0)
    process = sleeping(starter, tmp_path)
    template = int(Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(template, signal.SIGKILL)
    assert process.wait(60) == -1
    os.killpg(process.pid, signal.SIGKILL)
    assert run_with(starter, tmp_path, "print('again')")[2] == "again\n"
