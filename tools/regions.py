"""Writes regions.json, what regions lack that the stacks need, from cfn-lint's and botocore's data.

Run `python tools/regions.py` after an update of cfn-lint. tests/unit/constructs/test_regions.py compares the file with the
installed packages.
"""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "constructs" / "model_factory" / "core" / "regions.json"
# Regions for which Powertools for AWS Lambda (Python) writes the public parameter of its layer. Source: the matrix of
# .github/workflows/update_ssm.yml in aws-powertools/powertools-lambda-python, commit 18efff7.
POWERTOOLS = (
    *("af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2"),
    *("ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7"),
    *("ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2"),
    *("eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "mx-central-1", "sa-east-1"),
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
)
# Types that the stacks create, by the service whose regions botocore lists.
ENVIRONMENT = {
    "AWS::SageMaker::Pipeline": "api.sagemaker",
    "AWS::SageMaker::ModelPackageGroup": "api.sagemaker",
    "AWS::Scheduler::Schedule": "scheduler",
    "AWS::Lambda::Function": "lambda",
    "AWS::Lambda::EventSourceMapping": "lambda",
    "AWS::Events::Rule": "events",
    "AWS::CloudWatch::Dashboard": "monitoring",
}
DELIVERY = {"AWS::CodePipeline::Pipeline": "codepipeline", "AWS::CodeBuild::Project": "codebuild"}


def from_packages() -> dict[str, Any]:
    """Regions of the Powertools parameter, and what each of them lacks of an environment's and the delivery's types."""
    return {
        "powertools": sorted(POWERTOOLS),
        "environment": _missing(ENVIRONMENT),
        "delivery": _missing(DELIVERY),
    }


def _missing(types: dict[str, str]) -> dict[str, list[str]]:
    partitions = json.loads((_data("botocore") / "endpoints.json").read_bytes())["partitions"]
    services = next(each["services"] for each in partitions if each["partition"] == "aws")
    schemas = _data("cfnlint") / "schemas" / "providers"
    found = {}
    for region in sorted(POWERTOOLS):
        registered = json.loads((schemas / f"{region}.json").read_bytes())
        missing = [
            kind
            for kind, service in types.items()
            if kind not in registered or region not in services[service]["endpoints"]
        ]
        if missing:
            found[region] = missing
    return found


def _data(package: str) -> Path:
    """The data of a package that is not imported: cfn-lint takes seconds."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).parent / "data"


if __name__ == "__main__":
    TARGET.write_text(json.dumps(from_packages(), indent=1) + "\n", encoding="utf-8")
