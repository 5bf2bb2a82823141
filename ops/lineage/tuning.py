"""The tuning job of a training: how it searched, and which hyperparameters it chose."""

from collections.abc import Mapping
from typing import Any

from .links import known


def tuning_job(sagemaker: Any, name: str) -> tuple[dict[str, str], str | None, dict[str, str]]:
    """Facts of a tuning job, URI of the zip that its training jobs ran, and their environment. Raises ClientError."""
    job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    config, best = job["HyperParameterTuningJobConfig"], job.get("BestTrainingJob", {})
    definition: Mapping[str, Any] = job.get("TrainingJobDefinition") or job["TrainingJobDefinitions"][0]
    sources = {each["ChannelName"]: each["DataSource"] for each in definition.get("InputDataConfig", [])}
    found = best.get("FinalHyperParameterTuningJobObjectiveMetric", {})
    facts = known(
        status=job["HyperParameterTuningJobStatus"],
        image=definition.get("AlgorithmSpecification", {}).get("TrainingImage"),
        strategy=config["Strategy"].lower(),
        trials=_trials(job["TrainingJobStatusCounters"]),
        seed=config.get("RandomSeed"),
        best=f"{found['MetricName']} {found['Value']:.4f} in {best['TrainingJobName']}" if found else None,
        chosen=" ".join(f"{name}={value}" for name, value in sorted(best.get("TunedHyperParameters", {}).items())),
    )
    return facts, sources.get("code", {}).get("S3DataSource", {}).get("S3Uri"), definition.get("Environment", {})


def _trials(counters: Mapping[str, int]) -> str:
    """The number of training jobs, with those that did not complete."""
    named = {"NonRetryableError": "failed", "RetryableError": "failed", "Stopped": "stopped early"}
    others = [f"{counters[key]} {word}" for key, word in named.items() if counters.get(key)]
    return ", ".join([str(sum(counters.values())), *others])
