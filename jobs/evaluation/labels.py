"""Labels of the test rows as numbers, and scores of any version arranged in the order of their classes."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from ..failures import JobFailure


@dataclass(frozen=True)
class Labels:
    """Labels of the test rows. `truth`: the value (regression), or the index of the class in `classes`; one per row."""

    problem: str
    truth: np.ndarray
    classes: list[Any]

    @classmethod
    def of(cls, problem: str, labels: pd.Series, known: list[Any], rows: str = "test") -> Self:
        """From the label column. `known`: the labels of the training rows, sorted; labels that only these rows have follow.
        `rows` names them in errors.

        Raises JobFailure when all rows have the same label, or binary classification has other than two.
        """
        if problem == "regression":
            return cls(problem, labels.to_numpy(dtype="float64"), [])
        seen = labels.unique().tolist()
        if len(seen) < 2:
            raise JobFailure(f"all {rows} rows have the label {seen[0]!r}; nothing can be measured")
        classes = [*known, *sorted(set(seen) - set(known))]
        if problem == "binary_classification" and len(classes) != 2:
            raise JobFailure(f"the labels are {classes}; binary_classification needs two")
        return cls(problem, pd.Index(classes).get_indexer(pd.Index(labels)), classes)

    def aligned(self, scores: np.ndarray, known: list[Any], source: str) -> np.ndarray:
        """Scores with one column per class of `classes`, from a model whose columns are the classes `known`.

        A class that the model does not know scores 0; binary and regression scores stay as they are. `source` names the model
        in errors. Raises JobFailure when the scores do not fit the classes.
        """
        if self.problem == "binary_classification" and known and known != self.classes:
            raise JobFailure(f"{source}: its labels are {known}, the labels of the test rows are {self.classes}")
        if self.problem != "multiclass_classification":
            return scores
        if scores.shape[1] != len(known):
            raise JobFailure(
                f"{source}: predict(model, features) gave {scores.shape[1]} columns of scores; "
                f"the training rows have the {len(known)} labels {known}, in this order"
            )
        aligned = np.zeros((len(scores), len(self.classes)))
        for column, label in enumerate(known):
            if label in self.classes:
                aligned[:, self.classes.index(label)] = scores[:, column]
        return aligned
