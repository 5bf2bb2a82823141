"""Names in the simulated account, and the settings parameter of a model as its stack writes it."""

import copy

ACCOUNT, REGION = "123456789012", "eu-west-1"
PREFIX = "acme-prod"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/acme-prod-endpoint"


def arn(service, resource):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def settings(model):
    """The settings parameter of a model (docs/reference/contracts.md)."""
    name = f"{PREFIX}-{model}"
    return copy.deepcopy(
        {
            "model": model,
            "model_package_group": name,
            "training_pipeline": f"{name}-train",
            "endpoint": name,
            "raw_uri": f"s3://acme-prod-data/{model}/raw/",
            "artifacts_uri": f"s3://acme-prod-artifacts/{model}/",
            "tags": [{"Key": "model-factory:model", "Value": model}],
            "retrain": {"on_drift": True, "on_quality": True, "max_failures": 1, "cooldown_seconds": 3600.0},
            "serving": {
                "mode": "realtime",
                "instance": "ml.m5.large",
                "scaling": {"minimum": 1, "maximum": 1, "invocations_per_instance": 500},
                "canary": {"percent": 10, "bake": 600.0},
                "serverless": {"memory_mb": 2048, "max_concurrency": 5},
                "role_arn": ROLE,
                "kms_key_arn": arn("kms", "key/0a1b"),
                "encrypt_volumes": True,
                "capture_uri": f"s3://acme-prod-data/{model}/captured/",
                "capture_percent": 100,
                "rollback_alarms": [f"{name}-endpoint-errors", f"{name}-endpoint-latency"],
            },
        }
    )
