"""Artifacts of older versions, whose own code has other modules: served and compared by what every artifact promises."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from .conftest import SIGMOID

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
    made = evaluated(SIGMOID)
    assert made["champion"]["version"] == 1
    assert made["champion"]["metrics"]["auc"]["value"] > 0.9
    assert "worse than the live version 1 (0.9678)" in made["gate"]["reason"]
