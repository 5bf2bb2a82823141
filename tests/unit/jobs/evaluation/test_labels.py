"""Labels of test rows as class indexes, and scores of models with other classes."""

import numpy as np
import pandas as pd
import pytest

from jobs.evaluation.labels import Labels
from jobs.failures import JobFailure


def test_labels_become_indexes_of_the_training_classes():
    labels = Labels.of("multiclass_classification", pd.Series(["c", "a", "d"]), ["a", "b", "c"])
    assert labels.classes == ["a", "b", "c", "d"]  # the test lacks b, and d is new
    assert labels.truth.tolist() == [2, 0, 3]
    scores = labels.aligned(np.array([[0.1, 0.2, 0.7]] * 3), ["a", "b", "c"], "model.py")
    assert scores.tolist() == [[0.1, 0.2, 0.7, 0.0]] * 3


def test_scores_are_arranged_by_our_classes():
    labels = Labels.of("multiclass_classification", pd.Series(["a", "b"]), ["a", "b"])
    assert labels.aligned(np.array([[0.1, 0.2, 0.7]]), ["0", "b", "a"], "old").tolist() == [[0.7, 0.2]]
    with pytest.raises(
        JobFailure, match=r"model.py: predict\(model, features\) gave 3 columns of scores; .* 2 labels \['a', 'b'\]"
    ):
        labels.aligned(np.zeros((2, 3)), ["a", "b"], "model.py")


@pytest.mark.parametrize("values", [["no", "yes"], [False, True], [0, 1], [0.0, 1.0]])
def test_greater_of_two_labels_is_positive(values):
    labels = Labels.of("binary_classification", pd.Series([values[1], values[0], values[1]]), values)
    assert labels.truth.tolist() == [1, 0, 1]


def test_labels_that_cannot_be_measured_are_refused():
    with pytest.raises(JobFailure, match="all test rows have the label 'a'; nothing can be measured"):
        Labels.of("multiclass_classification", pd.Series(["a", "a"]), ["a", "b"])
    with pytest.raises(JobFailure, match=r"the labels are \[0, 1, 2\]; binary_classification needs two"):
        Labels.of("binary_classification", pd.Series([0, 2]), [0, 1])
    labels = Labels.of("binary_classification", pd.Series([0, 1]), [0, 1])
    with pytest.raises(
        JobFailure, match=r"old: its labels are \['no', 'yes'\], the labels of the test rows are \[0, 1\]"
    ):
        labels.aligned(np.zeros(2), ["no", "yes"], "old")
