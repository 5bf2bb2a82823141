"""`model-factory reproduce`: the words and exit codes of the verdict, and the processes that train on this machine."""

import io
import sys
import zipfile

import pytest

from ops.reproduction import local
from ops.reproduction.failures import CannotRebuild
from ops.reproduction.recorded import Recorded
from ops.reproduction.verdict import Verdict, expectation


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {"identical": {"same_bytes": "any threads", "reason": "as said"}},
            "expected on any number of threads: as said",
        ),
        (
            {
                "identical": {"same_bytes": "same threads and processor", "reason": "BLAS"},
                "threads": 2,
                "processor": "Xeon",
            },
            "expected only with the threads and processor of the training (2 threads, Xeon), otherwise the same scores: BLAS",
        ),
        (
            {"identical": {"same_bytes": "unknown conditions", "reason": "2 instances trained it"}},
            "the same scores are expected, and the same bytes need unknown conditions: 2 instances trained it",
        ),
        (None, "did not record whether the same bytes can be expected"),
    ],
)
def test_expected_verdict_is_what_training_recorded(facts, said):
    assert said in expectation(Recorded("churn", 7, None, {}, *[None] * 3, facts=facts))


def test_training_of_several_instances_is_not_repeated_on_one_machine():
    train = {"ResourceConfig": {"InstanceCount": 2}}
    steps = [{"Name": "Prepare", "Type": "Processing"}, {"Name": "Train", "Type": "Training", "Arguments": train}]
    with pytest.raises(CannotRebuild, match=r"2 instances trained it, .* train it again on AWS: without --local"):
        local.rebuild(None, Recorded("churn", 7, None, {"Steps": steps}, *[None] * 3), print)


def verdict(kind, **changes):
    content = {
        "verdict": kind,
        "says": "as said",
        "artifact": {"original": "a", "rebuilt": "b"},
        "files": {},
        "scores": None,
        "data": {"same": True, "differences": []},
        "run": {"known": True, "facts": {}, "libraries": {}},
    }
    return Verdict(content | changes)


@pytest.mark.parametrize(("kind", "code"), [("identical", 0), ("equal", 0), ("same_scores", 0), ("different", 1)])
def test_exit_code_is_zero_unless_it_differs(kind, code):
    assert verdict(kind).exit_code == code


def test_verdict_names_what_differs():
    files = {"model.joblib": {"count": 9, "places": [f".tree[{number}]: 0 -> 1" for number in range(9)]}}
    run = {"known": True, "facts": {"threads": [2, 4]}, "libraries": {"numpy": ["1.0", "2.0"]}}
    lines = list(verdict("different", files=files, run=run, data={"same": False, "differences": ["rows"]}).lines())
    assert lines[0] == "different: as said"
    assert "  model.joblib: 4 more places" in lines
    assert lines[-3:] == ["  data: rows", "  threads: 2 then, 4 now", "  numpy: 1.0 then, 2.0 now"]


def test_threads_are_set_only_where_they_differ(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    assert local._threads({"threads": 2}) == local._threads(None) == {}
    assert local._threads({"threads": 4})["OMP_NUM_THREADS"] == "4"


@pytest.fixture
def code_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        libraries = io.BytesIO()
        with zipfile.ZipFile(libraries, "w") as inner:
            inner.writestr("boosted_trees-9.0.dist-info/METADATA", "")
        archive.writestr("libraries.zip", libraries.getvalue())
    return tmp_path / "code.zip"


def test_same_libraries_and_those_of_code_run_in_this_python(tmp_path, code_zip):
    facts = {"python": sys.version.split()[0]}
    facts["libraries"] = {"numpy": local._installed("numpy"), "Boosted-Trees": "9.0"}
    assert local._python(tmp_path, facts, code_zip, print) == (local.Path(sys.executable), ())


def test_other_libraries_get_an_environment(tmp_path, monkeypatch, code_zip):
    made = []

    def run(command, **_):
        made.append(command)
        return local.subprocess.CompletedProcess(command, 0 if "venv" in command else 1, "", "no such version\n")

    monkeypatch.setattr(local.subprocess, "run", run)
    facts = {"python": sys.version.split()[0], "libraries": {"numpy": "0.0.1"}}
    logged = []
    with pytest.raises(CannotRebuild, match="the recorded libraries cannot be installed here: no such version"):
        local._python(tmp_path, facts, code_zip, logged.append)
    assert made[1][-1] == "numpy==0.0.1"
    assert "numpy 0.0.1 (here " in logged[0]


def test_jobs_get_no_thread_counts_of_this_process(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    assert not {"OMP_NUM_THREADS", "PYTHONPATH", "AWS_PROFILE"} & set(local._own_variables())
