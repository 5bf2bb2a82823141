"""A PySpark job counts what one process counts. Heavy (300 MB, Java): `make test-spark` makes its environment."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.drift.profile import Builder, Profile
from jobs.drift.scan import scan
from jobs.drift.spark import counting, main, merged

ROOT = Path(__file__).parents[3]
SPARK = ROOT / ".venv-spark/bin"
TYPES = {"x": "number", "n": "integer", "b": "boolean", "c": "string", "gone": "number"}


def table(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = np.where(rng.random(rows) < 0.05, np.nan, rng.normal(100.0, 1.0, rows))
    c = np.where(rng.random(rows) < 0.05, None, rng.choice(["red", "green", "b,lue"], rows))
    n = pd.array(np.where(rng.random(rows) < 0.01, None, rng.integers(0, 60, rows)), dtype="Int64")
    return pd.DataFrame({"c": c, "n": n, "x": x, "b": rng.random(rows) < 0.5})


@pytest.fixture
def reference() -> Profile:
    builder = Builder(TYPES)
    builder.update(table(20_000, 0).assign(gone=1.0))
    return builder.build()


@pytest.fixture
def files(tmp_path) -> list[Path]:
    paths = [tmp_path / f"part-{index}.parquet" for index in range(3)]
    for index, path in enumerate(paths):
        pq.write_table(pa.Table.from_pandas(table(30_000, index + 1)), path, row_group_size=7_000)
    return paths


def same(left: Profile, right: Profile) -> None:
    assert left.rows == right.rows == 90_000
    for name, column in left.columns.items():
        other = right.columns[name]
        assert (column.counts, column.nulls, column.rows) == (other.counts, other.nulls, other.rows), name
        assert (column.minimum, column.maximum, column.finite) == (other.minimum, other.maximum, other.finite)
        assert other.mean == pytest.approx(column.mean, rel=1e-12)
        assert other.m2 == pytest.approx(column.m2, rel=1e-12)
    assert left.columns["gone"].nulls == 90_000


@pytest.mark.skipif(not (SPARK / "spark-submit").exists(), reason="there is no .venv-spark; `make test-spark` makes it")
@pytest.mark.skipif(
    not shutil.which("java"), reason="Spark needs Java: apt install openjdk-17-jre-headless, or your system's"
)
def test_spark_submit_counts_as_one_process(reference, files, tmp_path):
    code = tmp_path / "jobs.zip"  # workers import what they run from here, as on SageMaker
    with zipfile.ZipFile(code, "w") as archive:
        for path in sorted((ROOT / "jobs").rglob("*.py")):
            archive.write(path, path.relative_to(ROOT))
    script = tmp_path / "app" / "count.py"
    script.parent.mkdir()
    script.write_text("from jobs.drift.spark import main\n\nmain()\n")
    (tmp_path / "profile.json").write_text(json.dumps(reference.to_dict()))
    data = tmp_path / "data"
    data.mkdir()
    for path in files:
        path.rename(data / path.name)
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SPARK_HOME")}
    environment |= {"PYSPARK_PYTHON": str(SPARK / "python"), "SPARK_LOCAL_IP": "127.0.0.1"}
    command = [str(SPARK / "spark-submit"), "--master", "local[2]", "--conf", "spark.ui.enabled=false"]
    command += ["--conf", "spark.sql.files.maxPartitionBytes=400k", "--py-files", str(code), str(script)]
    command += ["--data", str(data), "--reference", "profile.json", "--output", "now.json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "90000 rows of 5 columns counted" in done.stdout
    counted = Profile.from_dict(json.loads((tmp_path / "now.json").read_text()))
    same(scan(sorted(data.iterdir()), reference).profile, counted)


class Frame:
    """What the application uses of a Spark data frame, with a partition for each file."""

    def __init__(self, files: list[Path], columns: list[str]) -> None:
        self.files, self.columns = files, columns

    def select(self, names):
        assert set(names) <= set(self.columns)
        return Frame(self.files, names)

    def mapInArrow(self, count, schema):
        assert schema == "profile string"
        partitions = (pq.ParquetFile(path).iter_batches(1_000, columns=self.columns) for path in self.files)
        made = [row for partition in partitions for row in count(partition)]
        return SimpleNamespace(collect=lambda: pa.Table.from_batches(made).to_pylist())


def test_application_writes_the_profile_of_its_files(reference, files, tmp_path, monkeypatch, capsys):
    """Without Spark, whose interface a class stands for; the test above runs the application in Spark."""

    def parquet(*paths):
        return Frame([Path(path) for path in paths], pq.read_schema(paths[0]).names)

    session = SimpleNamespace(read=SimpleNamespace(parquet=parquet))
    builder = SimpleNamespace(appName=lambda _: SimpleNamespace(getOrCreate=lambda: session))
    monkeypatch.setitem(sys.modules, "pyspark.sql", SimpleNamespace(SparkSession=SimpleNamespace(builder=builder)))
    (tmp_path / "profile.json").write_text(json.dumps(reference.to_dict()))
    arguments = ["--data", *map(str, files), "--reference", str(tmp_path / "profile.json")]
    monkeypatch.setattr(sys, "argv", ["count.py", *arguments, "--output", str(tmp_path / "now.json")])
    main()
    counted = Profile.from_dict(json.loads((tmp_path / "now.json").read_text()))
    same(scan(files, reference).profile, counted)
    assert capsys.readouterr().out == "spark     90000 rows of 5 columns counted\n"


@pytest.mark.parametrize("missing", ["--data", "--reference", "--output"])
def test_application_needs_each_of_its_arguments(missing, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pyspark.sql", SimpleNamespace(SparkSession=None))
    given = [each for name in ("--data", "--reference", "--output") if name != missing for each in (name, "x")]
    monkeypatch.setattr(sys, "argv", ["count.py", *given])
    with pytest.raises(SystemExit):
        main()
    assert f"the following arguments are required: {missing}" in capsys.readouterr().err


def test_merged_batches_count_as_the_files(reference, files):
    count = counting(reference)
    rows = [row for path in files for row in count(pq.ParquetFile(path).iter_batches(1_000))]
    assert len(rows) == 3
    same(scan(files, reference).profile, merged((row.column("profile")[0].as_py() for row in rows), reference))
    assert list(count(iter(()))) == []  # an empty partition
