"""`model-factory acceptance` in a deployed environment: the whole loop through public APIs, and the clean-up."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e


def test_acceptance_passes_and_leaves_nothing(deployed):
    """In dev: the other tests use prod."""
    command = [Path(sys.executable).with_name("model-factory"), "acceptance", "--env", "dev", "--model", deployed.model]
    finished = subprocess.run(
        [*command, "--yes", "--json", "--project", deployed.root], capture_output=True, text=True, check=False
    )
    assert finished.stdout, finished.stderr
    result = json.loads(finished.stdout)
    assert [step["name"] for step in result["steps"] if step["status"] != "passed"] == [], finished.stderr
    assert finished.returncode == 0
    assert result["passed"]
    dev = deployed.session.project.environment("dev")
    names, sagemaker = dev.names.model(deployed.model), dev.client("sagemaker")
    assert sagemaker.list_endpoints(NameContains=names.endpoint)["Endpoints"] == []
    assert sagemaker.list_models(NameContains=names.endpoint)["Models"] == []
    versions = sagemaker.list_model_packages(ModelPackageGroupName=names.model_package_group)
    assert versions["ModelPackageSummaryList"] == []
    for purpose in ("data", "artifacts"):
        objects = dev.client("s3").list_objects_v2(Bucket=dev.names.bucket(purpose), Prefix=f"{deployed.model}/")
        assert objects["KeyCount"] == 0
    assert dev.client("sqs").list_queues(QueueNamePrefix=f"{dev.names.prefix}-acceptance").get("QueueUrls", []) == []
    assert dev.client("sns").list_subscriptions()["Subscriptions"] == []
