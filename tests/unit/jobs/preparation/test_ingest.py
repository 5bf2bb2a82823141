"""Objects to train on, by version, and their rows."""

import gzip
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs import table_files
from jobs.failures import JobFailure
from jobs.preparation import ingest

RAW = "s3://data/sales/raw/"


def rows(found, data_format="csv") -> pd.DataFrame:
    return pd.concat(list(table_files.chunks(found, data_format)), ignore_index=True)


def test_window_takes_the_newest_partitions(land):
    for day in ("2026-11-01", "2026-11-03", "2026-11-02"):
        land("x\n1\n", day)
        land("x\n1\n", day, "part-1.csv")
    assert [found.partition for found in ingest.choose(RAW, 2)] == ["dt=2026-11-02"] * 2 + ["dt=2026-11-03"] * 2
    assert len(ingest.choose(RAW, None)) == len(ingest.choose(RAW, 99)) == 6


def test_missing_data_names_the_folder_for_it(s3):
    with pytest.raises(JobFailure, match=r"there is no data below s3://data/sales/raw/; put files into .*dt=<date>/"):
        ingest.choose(RAW, None)


def test_deleted_objects_and_marker_files_are_ignored(land, s3):
    land("x\n1\n", name="kept.csv")
    land("x\n1\n", name="gone.csv")
    s3.delete_object(Bucket="data", Key="sales/raw/dt=2026-11-23/gone.csv")
    for name in ("", "_SUCCESS", ".part-0.csv.crc"):
        land("", name=name)
    assert [found.short for found in ingest.choose(RAW, None)] == ["dt=2026-11-23/kept.csv"]


def test_manifest_selects_the_same_versions(land, s3):
    land("x\nold\n")
    (old,) = ingest.choose(RAW, None)
    manifest = {"data_digest": ingest.digest([old]), "objects": [old.to_dict() | {"rows": 1}]}
    s3.put_object(Bucket="data", Key="manifest.json", Body=json.dumps(manifest))
    land("x\nnew\n")
    land("x\nother\n", "2026-11-24")
    replayed = ingest.choose(RAW, 1, "s3://data/manifest.json")
    assert [rows(found)["x"].tolist() for found in replayed] == [["old"]]
    assert ingest.digest(replayed) == manifest["data_digest"]
    assert ingest.digest(ingest.choose(RAW, None)) != manifest["data_digest"]


def test_deleted_version_is_named(land, s3):
    version = land("x\n1\n")
    (found,) = ingest.choose(RAW, None)
    s3.delete_object(Bucket="data", Key=found.key, VersionId=version)
    with pytest.raises(JobFailure, match=rf"s3://data/sales/raw/.*\(version {version}\) cannot be read"):
        rows(found)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (None, r"the manifest s3://data/manifest.json cannot be read: .*NoSuchKey"),
        ("not json", r"s3://data/manifest.json is no manifest of Prepare"),
        ('{"objects": [{"key": "a"}]}', r"s3://data/manifest.json is no manifest of Prepare: KeyError 'bucket'"),
    ],
)
def test_invalid_manifest_is_named(s3, body, what):
    if body:
        s3.put_object(Bucket="data", Key="manifest.json", Body=body)
    with pytest.raises(JobFailure, match=what):
        ingest.choose(RAW, None, "s3://data/manifest.json")


@pytest.mark.parametrize(
    ("content", "data_format", "what"),
    [
        (b"", "csv", "dt=2026-11-23/part is empty: the file has no bytes"),
        (b"", "parquet", "dt=2026-11-23/part is empty: the file has no bytes"),
        (b"x,y\n", "csv", "dt=2026-11-23/part is empty: it has no rows. Remove it or wait for its data"),
        (b"x,y\n1\n", "csv", "dt=2026-11-23/part is not readable as csv: line 2 has 1 columns; 2 are needed: x, y"),
        (b"x\n\xff\xfe\n", "csv", "dt=2026-11-23/part is not readable as csv: 'utf-8' codec can't decode"),
        (b"x\n1\n", "parquet", "dt=2026-11-23/part is not readable as parquet: "),
        (b"PAR1" + b"\0" * 100 + b"PAR1", "parquet", "dt=2026-11-23/part is not readable as parquet: "),
    ],
)
def test_empty_or_unreadable_file_is_named(land, content, data_format, what):
    land(content, name="part")
    (found,) = ingest.choose(RAW, None)
    with pytest.raises(JobFailure) as failure:
        rows(found, data_format)
    assert str(failure.value).startswith(what)


def test_parquet_file_without_rows_is_named(land):
    land(pd.DataFrame({"x": pd.Series([], dtype="float64")}), name="p.parquet")
    with pytest.raises(JobFailure, match=r"dt=2026-11-23/p.parquet is empty: it has no rows"):
        rows(ingest.choose(RAW, None)[0], "parquet")


def test_truncated_parquet_file_is_named(land, records, tmp_path):
    records(2000).to_parquet(tmp_path / "p")
    land((tmp_path / "p").read_bytes()[:-1000], name="p.parquet")
    with pytest.raises(JobFailure, match=r"p.parquet is not readable as parquet"):
        rows(ingest.choose(RAW, None)[0], "parquet")


def test_csv_may_have_byte_order_mark_and_gzip(land):
    land(gzip.compress("\ufeffcode\n01\n".encode()), name="part-0.csv.gz")
    assert rows(ingest.choose(RAW, None)[0]).to_dict("list") == {"code": ["01"]}
    land(gzip.compress(b"x\n1\n" * 1000)[:-20], name="part-0.csv.gz")
    with pytest.raises(JobFailure, match=r"part-0.csv.gz is not readable as csv"):
        rows(ingest.choose(RAW, None)[0])


def test_nullable_parquet_integers_keep_their_digits(land, tmp_path):
    pq.write_table(pa.table({"id": [12345678901234567, None]}), tmp_path / "p")
    land((tmp_path / "p").read_bytes(), name="p.parquet")
    assert rows(ingest.choose(RAW, None)[0], "parquet")["id"].tolist() == [12345678901234567, None]


@pytest.mark.parametrize("data_format", ["csv", "parquet"])
def test_chunks_are_bounded(land, records, data_format, monkeypatch):
    monkeypatch.setattr(table_files, "CHUNK_ROWS", 64)
    land(records(200), name=f"p.{data_format}")
    sizes = [len(chunk) for chunk in table_files.chunks(ingest.choose(RAW, None)[0], data_format)]
    assert sum(sizes) == 200
    assert max(sizes) <= 64


def test_objects_are_written_down_before_they_are_read(land, ml, s3):
    version = land("x\n1\n")
    output = {"OutputName": "report", "S3Output": {"S3Uri": "s3://data/executions/1/report"}}
    (ml / "config").mkdir()
    (ml / "config/processingjobconfig.json").write_text(json.dumps({"ProcessingOutputConfig": {"Outputs": [output]}}))
    ingest.announce(ingest.choose(RAW, None))
    content = s3.get_object(Bucket="data", Key="executions/1/report/inputs.json")["Body"].read()
    assert [each["version_id"] for each in json.loads(content)["objects"]] == [version]
