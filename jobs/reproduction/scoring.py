"""Scores of both artifacts on the same rows, each in a process with its own code, as a later evaluate job scores them."""

import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..evaluation.champion import scoring_command

TOLERANCE = 1e-9
"""The most that two scores may differ, as a part of the larger one when that is above 1. Scores that are sums of the same numbers
in another order differ by less (a forest of 1,000 trees: below 1e-12); a model of other data differs by more."""


@dataclass(frozen=True)
class Scores:
    """How far two artifacts' scores of the same rows are apart; `reason`: why one of them has none."""

    rows: int = 0
    differing: int = 0
    largest_difference: float | None = None
    tolerance: float = TOLERANCE
    reason: str = ""

    @property
    def same(self) -> bool:
        """Whether all scores are within the tolerance."""
        return self.largest_difference is not None and self.largest_difference <= TOLERANCE

    def to_dict(self) -> dict[str, Any]:
        """As the verdict has it."""
        return asdict(self)


def compare(original: Path, rebuilt: Path, rows: Path, folder: Path) -> Scores:
    """Score the parquet files in `rows` with both unpacked artifacts; `folder` is for the results."""
    if not any(rows.glob("*.parquet")):
        return Scores(reason="the version's test rows are gone")
    results: list[np.ndarray] = []
    for name, artifact in (("original", original), ("rebuilt", rebuilt)):
        out = folder / f"{name}.npy"
        command = scoring_command(artifact, rows, out)
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            return Scores(
                reason=f"the {name} artifact cannot score the test rows: {lines[-1] if lines else 'no reason'}"
            )
        results.append(np.load(out))
    one, other = results
    if one.shape != other.shape:
        return Scores(len(one), reason=f"the scores have the shapes {one.shape} and {other.shape}")
    apart = np.abs(one - other) / np.maximum(1.0, np.maximum(np.abs(one), np.abs(other)))
    return Scores(len(one), int((apart > 0).reshape(len(one), -1).any(axis=1).sum()), float(apart.max(initial=0.0)))
