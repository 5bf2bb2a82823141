"""The parameter from which the shared functions know a model (docs/reference/contracts.md)."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from .props import ModelProps


class ModelSettings(Construct):
    """The SSM parameter `/<factory>/<env>/models/<model>`."""

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps, *, endpoint_role_arn: str) -> None:
        super().__init__(scope, construct_id)
        self.parameter = ssm.CfnParameter(
            self,
            "Parameter",
            name=props.names.settings_parameter,
            description=f"How the factory's functions treat {props.config.name}",
            type="String",
            value=Stack.of(self).to_json_string(settings(props, endpoint_role_arn)),
        )


def settings(props: ModelProps, endpoint_role_arn: str) -> dict[str, Any]:
    """The parameter's content; durations in seconds."""
    config, names = props.config, props.names
    serving = config.serving.model_dump(mode="json", include={"mode", "instance", "scaling", "canary", "serverless"})
    return {
        "model": config.name,
        "model_package_group": names.model_package_group,
        "training_pipeline": names.training_pipeline,
        "endpoint": names.endpoint,
        **({"promoted_from": props.promoted_from} if props.promoted_from else {}),
        "raw_uri": f"{props.uri('data', 'raw')}/",
        "artifacts_uri": f"{props.uri('artifacts')}/",
        "records_uri": f"{props.uri('records')}/",
        "retrain": {
            "on_drift": config.retrain.on_drift,
            "on_quality": config.retrain.on_quality,
            "max_failures": config.retrain.max_failures,
            "cooldown_seconds": config.retrain.cooldown.total_seconds(),
        },
        "serving": serving
        | {
            "role_arn": endpoint_role_arn,
            "kms_key_arn": props.key_arn,
            "capture_uri": f"{props.uri('data', 'captured')}/",
            "capture_percent": config.serving.capture_percent,
            "rollback_alarms": [names.alarm("endpoint-errors"), names.alarm("endpoint-latency")],
            **({"vpc_config": props.vpc.vpc_config} if props.vpc else {}),
        },
    }
