"""Comparison of an artifact with the one that was trained again."""

import io
import json
import pickle
import tarfile
from collections import OrderedDict
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier

from jobs.reproduction import artifacts, pickles
from jobs.reproduction.differences import differences

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


def dumped(model, **options) -> bytes:
    target = io.BytesIO()
    joblib.dump(model, target, **options)
    return target.getvalue()


def apart(one, other) -> list[str]:
    return [str(each) for each in differences(pickles.read(one), pickles.read(other))]


@pytest.mark.parametrize("compress", [0, 3, ("xz", 3), ("bz2", 3), ("gzip", 3)])
def test_equal_models_have_no_differences(compress):
    made = [dumped(RandomForestClassifier(3, random_state=0).fit(X, Y), compress=compress) for _ in range(2)]
    assert apart(*made) == []


def test_other_seed_is_named_with_its_place():
    one, other = (dumped(RandomForestClassifier(3, random_state=seed).fit(X, Y)) for seed in (0, 1))
    assert ".random_state: 0 -> 1" in apart(one, other)
    assert any(each.startswith(".estimators_[0].tree_") for each in apart(one, other))


def test_number_of_threads_is_a_field_of_threads():
    model = KMeans(n_clusters=2, random_state=0, n_init=1).fit(X)
    one = dumped(model)
    model._n_threads = 7
    (found,) = differences(pickles.read(one), pickles.read(dumped(model)))
    assert found.path == "._n_threads"
    assert found.of_threads


class Runs:
    def __reduce__(self):
        return Path.write_text, (Path("/nonexistent/ran"), "code")


def test_reading_a_pickle_calls_nothing_in_it():
    found = pickles.read(pickle.dumps(Runs()))
    assert pickles.name_of(found) is not None
    assert found.arguments[1] == "code"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"a": 1.0}, {"a": 1.0 + 2**-52}, ["['a']: 1.0 -> 1.0000000000000002"]),
        ({"a": float("nan")}, {"a": float("nan")}, []),
        ({"a": 1}, {"a": True}, ["['a']: 1 -> True"]),
        ({"a": 1}, {}, ["['a']: 1 -> (absent)"]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        (OrderedDict(a=1, b=1), OrderedDict(b=1, a=1), ["[0][0]: 'a' -> 'b'", "[1][0]: 'b' -> 'a'"]),
        ([1, 2], [1, 2, 3], ["the value: list of 2 -> list of 3"]),
        (np.arange(3), np.array([0, 1, 3]), ["the value: int64 (3,) -> 1 of 3 values differ"]),
        (np.array(["a", None], object), np.array(["a", 1], object), ["[1]: None -> 1"]),
    ],
)  # fmt: skip
def test_places_that_differ_are_named(one, other, expected):
    assert [str(each) for each in differences(one, other)] == expected


def test_bytes_between_fields_of_records_do_not_differ():
    kind = np.dtype([("a", "i1"), ("b", "i8")], align=True)
    one = np.frombuffer(b"\x01" + b"\x00" * 15, kind)
    other = np.frombuffer(b"\x01" + b"\xff" * 7 + b"\x00" * 8, kind)
    assert list(differences(one, other)) == []


def test_deep_objects_are_compared_without_recursion():
    def chain(last):
        for _ in range(20_000):
            last = [last]
        return last

    assert len(list(differences(chain(1), chain(2)))) == 1


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04garbage", b"\x1f\x8bbroken", b"\x80\x05\x8a\xff"])
def test_other_files_are_unreadable_and_not_run(content):
    with pytest.raises(pickles.Unreadable):
        pickles.read(content)


def folder(path: Path, **files: bytes) -> Path:
    path.mkdir()
    for name, content in files.items():
        (path / name.replace("_", ".")).write_bytes(content)
    return path


def test_files_are_compared_by_content(tmp_path):
    one = folder(tmp_path / "one", a_json=b'{"x": 1}', b_bin=b"1", c_bin=b"same", d_bin=b"gone")
    other = folder(tmp_path / "other", a_json=b'{ "x": 2}', b_bin=b"2", c_bin=b"same")
    found = artifacts.compare(one, other)
    assert not found.meaningless
    assert found.to_dict() == {
        "a.json": {"count": 1, "places": ["['x']: 1 -> 2"]},
        "b.bin": {"count": 1, "places": ["has other bytes; it is no pickle"]},
        "d.bin": {"count": 1, "places": ["is in the original alone"]},
    }


def test_json_with_other_spaces_has_no_meaning(tmp_path):
    one, other = folder(tmp_path / "one", a_json=b'{"x": 1}'), folder(tmp_path / "other", a_json=b'{ "x": 1}')
    assert artifacts.compare(one, other).meaningless


def archive(path: Path, files: dict[str, bytes], mtime: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as made:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), mtime
            made.addfile(info, io.BytesIO(content))
    return path


# Without pandas, whose import takes the time of all other tests here.
SCORE = b"""import sys, json, pathlib, numpy
folder, rows, out = map(pathlib.Path, sys.argv[1:])
(part,) = rows.glob("*.parquet")
numpy.save(out, numpy.array(json.loads(part.read_text())) * float((folder / "factor.bin").read_text()))
"""


@pytest.fixture
def judge(tmp_path, monkeypatch):
    """Runs the job on two artifacts; verdict.json."""
    from jobs.reproduction import compare

    monkeypatch.setenv("FACTORY_ML_ROOT", str(tmp_path / "ml"))
    inputs = tmp_path / "ml" / "processing" / "input"
    (inputs / "request").mkdir(parents=True)
    (inputs / "report").mkdir()
    (tmp_path / "rows.parquet").write_text("[0.5, 0.25]")

    def download(uri, target):
        target.write_bytes((tmp_path / uri).read_bytes())

    monkeypatch.setattr(compare, "_download", download)

    def run(original, rebuilt, report=None, before=None, sha256=None):
        archive(tmp_path / "original", original, mtime=1)
        archive(inputs / "rebuilt" / "job" / "output" / "model.tar.gz", rebuilt)
        request = {"original": {"uri": "original", "sha256": sha256}, "test": ["rows.parquet"], "report": before}
        (inputs / "request" / "request.json").write_text(json.dumps(request))
        if report:
            (inputs / "report" / "report.json").write_text(json.dumps(report))
        compare.run()
        return json.loads((tmp_path / "ml" / "processing" / "output" / "verdict" / "verdict.json").read_text())

    return run


def test_archive_packed_in_another_way_is_equal(judge):
    verdict = judge({"a": b"1"}, {"a": b"1"})
    assert verdict["verdict"] == "equal"
    assert "only the archive" in verdict["says"]


def test_scores_within_tolerance_are_same_scores(judge):
    files = {"code/score.py": SCORE}
    verdict = judge(files | {"factor.bin": b"1"}, files | {"factor.bin": b"1.0000000001"})
    assert verdict["verdict"] == "same_scores"
    assert 0 < verdict["scores"]["largest_difference"] < 1e-9


def test_other_scores_and_data_are_different_and_named(judge):
    files = {"code/score.py": SCORE}
    verdict = judge(
        files | {"factor.bin": b"1"},
        files | {"factor.bin": b"2"},
        report={"rows": 7, "data_digest": "b"},
        before={"rows": 8, "data_digest": "b"},
    )
    assert verdict["verdict"] == "different"
    assert "2 of 2 test rows have another score, by up to 0.5" in verdict["says"]
    assert "the data differs (['rows']: 8 -> 7)" in verdict["says"]
    assert "factor.bin" in verdict["says"]


def test_original_with_another_digest_is_refused_before_it_runs(judge):
    from jobs.failures import JobFailure

    with pytest.raises(JobFailure, match="is not the file that the version was evaluated with"):
        judge({"a": b"1"}, {"a": b"1"}, sha256="0" * 64)
