"""Data quality that no schema declares: new categories and duplicate rows.

Values that break the declared schema (types, ranges, lists, nulls) are reported where rows are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy import stats

from .arrays import compute
from .profile import Profile

DUPLICATES_P = 1e-6
DUPLICATES_SHARE = 0.02
SHOWN_VALUES = 5


@dataclass(frozen=True)
class Finding:
    """An observation about the data. A `violation` counts in the metric DataViolations, which has an alarm."""

    kind: str
    column: str
    text: str
    violation: bool = True


def new_categories(reference: Profile, current: Profile, seen: Mapping[str, Mapping[str, int]]) -> list[Finding]:
    """Strings that the reference does not have, in columns whose values are all known; no violation: drift judges their share."""
    findings = []
    for name, counts in seen.items():
        if name in reference.columns and reference.columns[name].known and counts:
            order = sorted(counts, key=lambda value: (-counts[value], value))
            shown = ", ".join(f"{value!r} ({counts[value]})" for value in order[:SHOWN_VALUES])
            share = sum(counts.values()) / max(1, current.columns[name].rows)
            findings.append(
                Finding("new_category", name, f"{len(counts)} new values in {share:.2%} of the rows: {shown}", False)
            )
    return findings


def duplicates(reference: pa.Table | None, current: pa.Table | None) -> list[Finding]:
    """Duplicate rows of a sample, when there are more than in the training rows (Fisher's exact test)."""
    if reference is None or current is None or not len(current) or not len(reference):
        return []
    size = min(len(reference), len(current))  # a larger sample has more duplicates
    before, now = _repeated(reference.slice(0, size)), _repeated(current.slice(0, size))
    p_value = float(stats.hypergeom.sf(now - 1, 2 * size, before + now, size))
    if p_value > DUPLICATES_P or now - before < DUPLICATES_SHARE * size:
        return []
    return [
        Finding("duplicates", "", f"{now / size:.1%} of the rows repeat another, {before / size:.1%} of the training's")
    ]


def _repeated(rows: pa.Table) -> int:
    codes = np.column_stack([_codes(rows.column(name)) for name in rows.column_names])
    return len(rows) - len(np.unique(codes, axis=0))


def _codes(values: pa.ChunkedArray) -> np.ndarray:
    encoded = compute.dictionary_encode(values, null_encoding="encode").combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    return encoded.indices.to_numpy(zero_copy_only=False)
