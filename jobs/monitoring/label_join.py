"""Joins labels with stored predictions, in the order in which the labels were written."""

from collections.abc import Iterable

import numpy as np

from .predictions import StoredPredictions


class LabelJoin:
    """The label of each stored prediction, and counts of labels that add nothing.

    `truth`: float64, one per prediction, NaN where there is no label yet; of several labels for a record the last one counts.
    `duplicates`: labels for a record that had one already. `without_record`: labels whose record is not stored.
    """

    def __init__(self, stored: StoredPredictions) -> None:
        self._stored = stored
        self.truth = np.full(len(stored.predictions), np.nan)
        self.duplicates = 0
        self.without_record = 0

    def add_all(self, batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> None:
        """Add batches of (record keys, labels)."""
        for keys, labels in batches:
            self.add(keys, labels)

    def add(self, keys: np.ndarray, labels: np.ndarray) -> None:
        """Add labels by their record's key. Those whose record is outside of the sample are not counted at all."""
        in_sample = keys <= np.uint64(self._stored.threshold)
        positions, labels = self._stored.positions(keys[in_sample]), labels[in_sample]
        has_record = positions >= 0
        positions, labels = positions[has_record], labels[has_record]
        newly_labelled = np.unique(positions[np.isnan(self.truth[positions])])
        self.truth[positions] = labels
        self.without_record += int((~has_record).sum())
        self.duplicates += len(positions) - len(newly_labelled)
