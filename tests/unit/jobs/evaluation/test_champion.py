"""Evaluate refuses a champion whose artifact is not the file that was evaluated: loading it would run it."""

import hashlib
import random
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobs import s3
from jobs.evaluation import champion
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
