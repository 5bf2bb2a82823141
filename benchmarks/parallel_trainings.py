"""Duration of a delivery that changes ten models, and number of concurrent trainings: `make bench-delivery`.

Runs on the embedded AWS with one environment. Exit code 1 when more than `delivery.parallel` trainings ran at the same time, or
when a model has no new version.
"""

import argparse
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import yaml

from local_aws.server import LocalAws
from model_factory.ops.delivery.deliveries import Deliveries
from model_factory.ops.local.demo_delivery.workspace import TOOLING, Workspace
from model_factory.ops.operations.reader import Reader
from tests.e2e.sales import records

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "tests" / "e2e" / "project" / "models" / "sales"
DEV = {"name": "dev", "account": "111111111111", "region": "eu-west-1", "approval": "automatic", "removal": "destroy"}
TIMEOUT_SECONDS = 900


def copy_models(folder: Path, count: int) -> list[str]:
    """Copy the tests' model `count` times; returns the names."""
    names = [f"sales-{number}" for number in range(1, count + 1)]
    for name in names:
        shutil.copytree(TEMPLATE, folder / name)
        path = folder / name / "model.yaml"
        path.write_text(path.read_text().replace("name: sales", f"name: {name}"))
    return names


class TrainingCounter:
    """Counts the running trainings, ten times a second."""

    def __init__(self, workspace: Workspace, models: list[str]) -> None:
        session = workspace.project.environment("dev")
        self._sagemaker, self._stop = session.client("sagemaker"), threading.Event()
        self._pipelines = [session.names.model(name).training_pipeline for name in models]
        self.samples: Counter[int] = Counter()
        self._thread = threading.Thread(target=self._count, daemon=True)

    def _count(self) -> None:
        while not self._stop.wait(0.1):
            listed = [self._sagemaker.list_pipeline_executions(PipelineName=name) for name in self._pipelines]
            running = [e for each in listed for e in each["PipelineExecutionSummaries"]]
            self.samples[sum(e["PipelineExecutionStatus"] == "Executing" for e in running)] += 1

    def __enter__(self) -> "TrainingCounter":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def main() -> int:
    """Print the duration and the number of trainings; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--parallel", type=int, default=4)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, LocalAws(Path(temporary) / "aws") as local:
        folder = Path(temporary)
        models = copy_models(folder / "models", chosen.models)
        workspace = Workspace.create(local, folder / "clone", [DEV], folder / "models")
        path = workspace.root / "factory.yaml"
        factory = yaml.safe_load(path.read_text())
        factory["delivery"]["parallel"] = chosen.parallel
        path.write_text(yaml.safe_dump(factory, sort_keys=False))
        workspace.bootstrap()
        deliveries = Deliveries(local.accounts.client("codepipeline", *TOOLING), "acme-delivery")

        def deliver(message: str, first: bool = False) -> float:
            started, commit = time.monotonic(), workspace.push(message)
            if first:
                workspace.deploy_pipeline()
            execution, _ = deliveries.follow(commit, TIMEOUT_SECONDS, lambda line: print(f"  {line}", flush=True))
            if execution["status"] != "Succeeded":
                sys.exit("\n".join(deliveries.failures(execution["pipelineExecutionId"])))
            return time.monotonic() - started

        print(f"{chosen.models} models are delivered without data", flush=True)
        deliver("the factory", first=True)
        session = workspace.project.environment("dev")
        data = records().to_csv(index=False).encode()
        for name in models:
            key = f"{name}/raw/dt=2026-11-01/part-0.csv"
            session.client("s3").put_object(Bucket=session.names.bucket("data"), Key=key, Body=data)
            workspace.change(f"models/{name}/model.yaml", "retrain:", "training: {hyperparameters: {C: 1.0}}\nretrain:")
        print("data is uploaded; a push changes all models", flush=True)
        with TrainingCounter(workspace, models) as counter:
            seconds = deliver("Regularize all")
        versions = [Reader(session, name).live_version() for name in models]
    most = max(counter.samples)
    print(f"{seconds:.0f} s for {chosen.models} models; at most {most} of {chosen.parallel} trainings at a time")
    return 0 if most <= chosen.parallel and versions == [1] * chosen.models else 1


if __name__ == "__main__":
    sys.exit(main())
