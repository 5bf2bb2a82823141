"""The interface of an artifact: versions whose own code has other modules are served and compared."""

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from local_aws.sagemaker.jobs.job import pack

from .conftest import SIGMOID, artifact

WITHOUT_SCORE = Path(__file__).parents[1] / "artifacts/without-score.tar.gz"
"""Made before jobs/ had packages; artifacts/README.md says how."""
SERVE = """
import sys
sys.path.insert(0, sys.argv[1] + "/code")
import serve
loaded = serve.model_fn(sys.argv[1])
answer = serve.transform_fn(loaded, "0.5,red\\n-9,blue\\n", "text/csv", "text/csv")
print(answer.status_code, answer.get_data(as_text=True), sys.modules["jobs"].__file__)
"""


def test_old_artifact_is_served_by_its_own_code(tmp_path):
    with tarfile.open(WITHOUT_SCORE) as archive:
        archive.extractall(tmp_path, filter="data")
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    status, first, second, module = done.stdout.split()
    assert (status, second) == ("200", "0.0")
    assert float(first) == pytest.approx(0.754, abs=0.1)
    assert Path(module).is_relative_to(tmp_path)


def test_old_artifact_is_compared_as_champion(evaluated, register):
    register(WITHOUT_SCORE)
    evaluation = evaluated(SIGMOID)
    assert evaluation["champion"]["version"] == 1
    assert evaluation["champion"]["metrics"]["auc"]["value"] > 0.9
    assert "worse than the live version 1 (0.9678)" in evaluation["gate"]["reason"]


def score(model: Path, rows: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(model / "code/score.py"), str(model), str(rows), str(out)]
    return subprocess.run(command, cwd=model.parent, capture_output=True, text=True, check=False)


def test_new_artifact_scores_rows_by_its_entry_point(tmp_path, settings):
    artifact(tmp_path, settings(), SIGMOID, [0, 1])
    rows = tmp_path / "rows"
    rows.mkdir()
    for name, values in {"part-1": [2.0], "part-0": [0.0, 1.0]}.items():
        pd.DataFrame({"x": values, "colour": "red", "sold": 1}).to_parquet(rows / f"{name}.parquet")
    done = score(tmp_path / "model", rows, tmp_path / "out.npy")
    assert (done.returncode, done.stderr) == (0, "")
    assert np.load(tmp_path / "out.npy").tolist() == pytest.approx((1 / (1 + np.exp([0.0, -1.0, -2.0]))).tolist())


def test_entry_point_ends_with_the_reason_it_failed(tmp_path, settings):
    artifact(tmp_path, settings(), SIGMOID, [0, 1])
    rows = tmp_path / "rows"
    rows.mkdir()
    pd.DataFrame({"x": ["many"], "colour": "red"}).to_parquet(rows / "part-0.parquet")
    done = score(tmp_path / "model", rows, tmp_path / "out.npy")
    assert (done.returncode, (tmp_path / "out.npy").exists()) == (1, False)
    assert done.stderr.splitlines()[-1] == "column 'x': 1 values are no number"


FOREIGN = """
import os, sys, pathlib, numpy, pandas
model, rows, out = sys.argv[1:]
raw = pandas.concat(map(pandas.read_parquet, sorted(pathlib.Path(rows).glob("*.parquet"))))
numpy.save(out, {scores})
os._exit(0)  # Arrow's threads may abort a process that shuts down (jobs/__main__.py)
"""


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ("1 / (1 + numpy.exp(-raw['x']))", ""),
        ("print('its own reason', file=sys.stderr, flush=True) or os._exit(1)", "its own reason"),
    ],
)
def test_champion_needs_nothing_but_the_interface(evaluated, register, tmp_path, scores, reason):
    """Versions to come may have no package `jobs` in their artifacts."""
    (tmp_path / "later/code").mkdir(parents=True)
    (tmp_path / "later/code/score.py").write_text(FOREIGN.format(scores=scores))
    (tmp_path / "later/serving.json").write_text(json.dumps({"classes": [0, 1]}))
    pack(tmp_path / "later", tmp_path / "later.tar.gz")
    register(tmp_path / "later.tar.gz")
    evaluation = evaluated(SIGMOID)
    if reason:
        assert evaluation["champion"]["reason"] == f"the live version 1 cannot score the test rows: {reason}"
    else:
        assert evaluation["champion"]["metrics"]["auc"] == evaluation["metrics"]["auc"]
