"""The job trial: a training job of a tuning job. It fits the model and prints its metric on the validation rows.

SageMaker reads the metric from the printed line. Nothing is kept of the model: a training with the best hyperparameters follows.
"""

import numpy as np

from . import metrics, train
from .evaluation.labels import Labels
from .failures import JobFailure


def run() -> None:
    """Run the job. Raises JobFailure."""
    fitted = train.fit()
    settings = fitted.project.settings
    metric = settings["training"]["tuning"]["metric"] or settings["gate"]["metric"]
    print(line(metric, measure(fitted, metric)), flush=True)


def line(metric: str, value: float) -> str:
    """The line from which SageMaker reads the metric."""
    return f"objective {metric}={value!r};"


def measure(fitted: train.Fitted, metric: str) -> float:
    """A metric of a model on the validation rows, which are read in batches. Raises JobFailure when it is undefined there."""
    project, classes = fitted.project, fitted.classes or []
    batches = [
        project.predict(fitted.model, batch.drop(columns=project.label).reset_index(drop=True))
        for batch in fitted.validation.batches()
    ]
    labels = Labels.of(project.problem, fitted.validation.column(project.label), classes, "validation")
    scores = labels.aligned(np.concatenate(batches), classes, "model.py")
    value = metrics.values(project.problem, labels.truth, scores)[metric]
    if not np.isfinite(value):
        raise JobFailure(f"{metric} is undefined on the {len(fitted.validation)} validation rows")
    return value
