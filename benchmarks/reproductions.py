"""How many of 20 versions are trained again identically: `make bench-reproductions`.

Four models on the example's census records, five versions each, on the embedded AWS. Then model.py of each is changed and
deployed, and the stacks of all models are destroyed. Every version is trained again on a pipeline, from evidence alone, and on
this machine with 1, 2 and 4 threads. Exit code 1 when one is neither identical nor equal.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import yaml

from local_aws.bootstrap import bootstrap, cdk
from local_aws.server import LocalAws
from model_factory.ops.operations.executions import follow, newest_execution_arn
from model_factory.ops.operations.trigger import send_manual_trigger
from model_factory.ops.project import EnvironmentSession, Project
from model_factory.ops.records.chain import newest
from model_factory.ops.reproduction import definition as definitions
from model_factory.ops.reproduction import local as machine
from model_factory.ops.reproduction.rebuild import rebuild
from model_factory.ops.reproduction.recorded import find, read
from model_factory.ops.waiting import wait_for

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "models" / "employment"
DEV = {"name": "dev", "account": "111111111111", "region": "eu-west-1", "approval": "automatic", "removal": "destroy"}
ESTIMATOR = "HistGradientBoostingClassifier(categorical_features=unordered, random_state=0, **hyperparameters)"
ESTIMATORS = {
    "employment": ESTIMATOR,
    "forest": "RandomForestClassifier(100, max_depth=8, n_jobs=-1, random_state=0)",
    "boosted": "GradientBoostingClassifier(n_estimators=30, random_state=0)",
    "logistic": "make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))",
}
IMPORTS = """from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
"""
THREADS = (1, 2, 4)
ROWS = 3000
TIMEOUT_SECONDS = 600


def write_project(root: Path, models: Sequence[str]) -> Project:
    """A factory of one environment with the example, or copies of it that have other estimators."""
    (root / "factory.yaml").write_text(yaml.safe_dump({"name": "acme", "environments": [DEV]}))
    for name in models:
        folder = root / "models" / name
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("data", "__pycache__"))
        code, config = folder / "model.py", folder / "model.yaml"
        first = "from sklearn.ensemble import HistGradientBoostingClassifier\n"
        code.write_text(code.read_text().replace(first, IMPORTS).replace(ESTIMATOR, ESTIMATORS[name]))
        text = config.read_text().replace("name: employment", f"name: {name}")
        config.write_text(text.replace("minimum: 0.85", "minimum: 0.5").replace("margin: 0.005", "margin: 0.5"))
    return Project(root)


def deploy(local: LocalAws, root: Path, *arguments: str) -> None:
    """Run the CDK on the project's app."""
    context = [
        "-c",
        f"factory={root / 'factory.yaml'}",
        "-c",
        f"models={root / 'models'}",
        "--output",
        str(root / "out"),
    ]
    cdk(local, [*arguments, *context], cwd=ROOT, env={"CDK_VALIDATION": "false"})


def train_all(session: EnvironmentSession, models: Sequence[str], version: int) -> None:
    """Upload other rows for every model, and train a version of each at the same time."""
    rows = pd.concat(map(pd.read_parquet, sorted((EXAMPLE / "data").glob("*.parquet"))), ignore_index=True)
    body = rows.sample(ROWS, random_state=version).to_parquet(index=False)
    sagemaker, before, records = session.client("sagemaker"), {}, session.names.bucket("records")
    for name in models:
        key = f"{name}/raw/dt=2026-11-{version:02}/part-0.parquet"
        session.client("s3").put_object(Bucket=session.names.bucket("data"), Key=key, Body=body)
        before[name] = newest_execution_arn(sagemaker, session.names.model(name).training_pipeline)
        send_manual_trigger(session, "retrain", name, f"version {version}")
    for name in models:

        def newer(name: str = name) -> str | None:
            found = newest_execution_arn(sagemaker, session.names.model(name).training_pipeline)
            return found if found != before[name] else None

        ended = follow(session, wait_for("the training", newer, TIMEOUT_SECONDS), TIMEOUT_SECONDS, lambda _: None)
        if ended.status != "Succeeded":
            sys.exit(f"version {version} of {name}: {ended.reason}")
        wait_for("the evidence", partial(newest, session, records, name, "registration", version), TIMEOUT_SECONDS)


def on_threads(session: EnvironmentSession, name: str, version: int) -> dict[str, str]:
    """Verdict by number of threads of this machine; the data is prepared once."""
    recorded = find(session, name, version)
    prepare, train = definitions.training_steps(recorded.definition)
    verdicts = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (code := folder / definitions.code_name(recorded.definition)).write_bytes(read(recorded.code))
        first = machine.Machine(session, Path(sys.executable), folder, lambda _: None)
        prepared = first.prepare(code, prepare["Arguments"], recorded)
        for threads in THREADS:
            (target := folder / str(threads)).mkdir()
            here = replace(first, folder=target)
            trained = here.train(code, train["Arguments"], prepared, machine.thread_variables(threads))
            verdicts[f"{threads} threads"] = here.compare(recorded, prepared, trained)["verdict"]
    return verdicts


def main() -> int:
    """Print a table of verdicts by model and condition; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=5, help="Versions of each model.")
    parser.add_argument("--model", action="append", choices=ESTIMATORS, help="Only this model; repeat it.")
    chosen = parser.parse_args()
    models: list[str] = chosen.model or list(ESTIMATORS)
    found: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in models}
    with tempfile.TemporaryDirectory() as temporary, LocalAws(Path(temporary) / "aws") as local:
        (root := Path(temporary) / "project").mkdir()
        project = write_project(root, models)
        bootstrap(local, project.accounts)
        deploy(local, root, "deploy", "--all", "--require-approval", "never")
        session = project.environment("dev")
        started = time.monotonic()
        for version in range(1, chosen.versions + 1):
            train_all(session, models, version)
            print(f"version {version} of each model, {time.monotonic() - started:.0f} s", flush=True)
        for name in models:
            with (root / "models" / name / "model.py").open("a") as code:
                code.write("\n\ndef unused():\n    return None\n")
        deploy(local, root, "deploy", "--all", "--require-approval", "never")
        stacks = [session.names.model(name).stack for name in models]
        deploy(local, root, "destroy", *stacks, "--force")
        for name in models:
            for version in range(1, chosen.versions + 1):
                verdicts = {"pipeline": rebuild(session, find(session, name, version), lambda _: None)["verdict"]}
                verdicts |= on_threads(session, name, version)
                found[name].update(verdicts.items())
                print(f"{name}@{version}: {json.dumps(verdicts)}, {time.monotonic() - started:.0f} s", flush=True)
    return report(found, chosen.versions)


def report(found: dict[str, Counter[tuple[str, str]]], versions: int) -> int:
    """Print the table; 1 when a version is neither identical nor equal."""
    conditions = ["pipeline", *(f"{threads} threads" for threads in THREADS)]
    print(f"| {versions} versions of | {' | '.join(conditions)} |\n| --- |{' --- |' * len(conditions)}")
    for name, counted in found.items():
        cells = [", ".join(f"{n} {v}" for (c, v), n in sorted(counted.items()) if c == each) for each in conditions]
        print(f"| {name} | {' | '.join(cells)} |")
    good = sum(n for counted in found.values() for (_, v), n in counted.items() if v in ("identical", "equal"))
    return 0 if good == len(found) * versions * len(conditions) else 1


if __name__ == "__main__":
    sys.exit(main())
