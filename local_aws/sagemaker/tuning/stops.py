"""When a tuning job ends a training job early, and when it starts no more.

Sources: SageMaker developer guide, "Stop Training Jobs Early" and "Track and set completion criteria for your tuning job".
"""

import statistics
from collections.abc import Sequence

from ...json_api import Record

IMPROVED = 0.01
"""Share by which an objective has to be better than the best before, to count as improved."""


def early_stop(values: Sequence[float], previous: Sequence[Sequence[float]], *, maximize: bool) -> float | None:
    """The objective at which a training job has to be stopped; None as long as it may go on.

    The median rule: after each epoch the objective is compared with the median of the running averages that the previous training
    jobs had up to the same epoch.

    Args:
        values: The objective of the training job after each epoch so far.
        previous: The objectives of previous training jobs after each of their epochs.
        maximize: Whether more is better.
    """
    for epoch, value in enumerate(values, 1):
        averages = [statistics.fmean(each[:epoch]) for each in previous if len(each) >= epoch]
        if not averages:
            continue
        median = statistics.median(averages)
        if value < median if maximize else value > median:
            return value
    return None


def complete(criteria: Record, objectives: Sequence[float], *, maximize: bool) -> bool:
    """Whether the TuningJobCompletionCriteria are met.

    `objectives`: of the training jobs that have ended, in order. AWS does not publish when it detects convergence: here no tuning
    job does.
    """
    if not objectives:
        return False
    target = criteria.get("TargetObjectiveMetricValue")
    best = max(objectives) if maximize else min(objectives)
    if target is not None and (best >= target if maximize else best <= target):
        return True
    limit = criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
    return limit is not None and not_improving(objectives, maximize=maximize) >= limit


def not_improving(objectives: Sequence[float], *, maximize: bool) -> int:
    """Number of training jobs since the last that was better by IMPROVED than the best before it."""
    since, best = 0, None
    for value in objectives:
        gain = 0.0 if best is None else (value - best if maximize else best - value)
        if best is None or gain > IMPROVED * abs(best):
            since = 0
        else:
            since += 1
        if best is None or gain > 0:
            best = value
    return since
