"""Evaluate refuses a champion whose artifact is not the file that was evaluated: loading it would run it."""

import hashlib
import io
import random
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobs import s3
from jobs.evaluation import champion, old_artifacts
from jobs.failures import JobFailure

CONTENT = random.Random(0).randbytes(20_000)


def test_every_changed_byte_of_champion_is_refused(tmp_path, monkeypatch):
    """One byte at random, 1,000 times."""
    rng = random.Random(1)

    def download_file(bucket, key, path):
        changed = bytearray(CONTENT)
        changed[rng.randrange(len(changed))] ^= rng.randrange(1, 256)
        Path(path).write_bytes(changed)

    monkeypatch.setattr(s3, "client", lambda *_: SimpleNamespace(download_file=download_file))
    live = champion.Champion(7, "s3://artifacts/model.tar.gz", hashlib.sha256(CONTENT).hexdigest())
    for _ in range(1_000):
        with pytest.raises(JobFailure, match="is not the file that version 7 was evaluated with"):
            champion.download(live, tmp_path)
    assert not (tmp_path / "model").exists()


class SageMaker:
    """A registry whose approved versions come in pages, in any order."""

    def __init__(self, *pages, digest=None):
        self.pages, self.metadata = pages, {"artifact_digest": digest} if digest else None

    def get_paginator(self, _):
        def paginate(**request):
            assert request == {"ModelPackageGroupName": "sales", "ModelApprovalStatus": "Approved"}
            for page in self.pages:
                yield {
                    "ModelPackageSummaryList": [
                        {"ModelPackageVersion": version, "ModelPackageArn": f"arn/{version}"} for version in page
                    ]
                }

        return SimpleNamespace(paginate=paginate)

    def describe_model_package(self, ModelPackageName):
        containers = [{"ModelDataUrl": f"s3://artifacts/{ModelPackageName}"}, {"ModelDataUrl": "s3://another"}]
        described = {"InferenceSpecification": {"Containers": containers}}
        return described | ({"CustomerMetadataProperties": self.metadata} if self.metadata else {})


@pytest.mark.parametrize(
    ("registry", "expected"),
    [
        (SageMaker(), None),
        (SageMaker([]), None),
        (SageMaker([2, 9], [10, 3]), champion.Champion(10, "s3://artifacts/arn/10")),
        (SageMaker([1], digest="0a1b"), champion.Champion(1, "s3://artifacts/arn/1", "0a1b")),
    ],
)
def test_champion_is_the_newest_approved_version(registry, expected, monkeypatch):
    monkeypatch.setattr(s3, "client", lambda service: registry)
    assert champion.find("sales") == expected


@pytest.fixture
def archive(monkeypatch):
    """A model.tar.gz with one file in S3; its SHA-256."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as opened:
        member = tarfile.TarInfo("serving.json")
        member.size = 2
        opened.addfile(member, io.BytesIO(b"{}"))

    def download_file(bucket, key, path):
        assert (bucket, key) == ("artifacts", "7/model.tar.gz")
        Path(path).write_bytes(content.getvalue())

    monkeypatch.setattr(s3, "client", lambda *_: SimpleNamespace(download_file=download_file))
    return hashlib.sha256(content.getvalue()).hexdigest()


@pytest.mark.parametrize("is_registered", [True, False])
def test_champion_with_the_evaluated_bytes_is_unpacked(archive, tmp_path, is_registered):
    live = champion.Champion(7, "s3://artifacts/7/model.tar.gz", archive if is_registered else None)
    folder = champion.download(live, tmp_path)
    assert (folder / "serving.json").read_text() == "{}"


def test_artifact_is_scored_by_its_own_script_or_by_that_of_old_ones(tmp_path):
    ending = [str(tmp_path), "rows", "out"]
    assert champion.scoring_command(tmp_path, "rows", "out") == [sys.executable, "-c", old_artifacts.SCORE, *ending]
    (tmp_path / "code").mkdir()
    (tmp_path / "code/score.py").write_text("")
    own = str(tmp_path / "code/score.py")
    assert champion.scoring_command(tmp_path, "rows", "out") == [sys.executable, own, *ending]


@pytest.mark.parametrize(
    ("code", "reason"),
    [("raise SystemExit(3)", "exit code 3"), ("import sys; sys.exit('first\\nlast')", "last")],
)
def test_champion_that_fails_says_why(archive, tmp_path, monkeypatch, code, reason):
    monkeypatch.setattr(champion, "scoring_command", lambda *_: [sys.executable, "-c", code])
    scoring = champion.Scoring(champion.Champion(7, "s3://artifacts/7/model.tar.gz"), tmp_path, tmp_path)
    with pytest.raises(JobFailure, match=f"the live version 7 cannot score the test rows: {reason}$"):
        scoring.scores()
    scoring.stop()  # it has ended: nothing to kill
