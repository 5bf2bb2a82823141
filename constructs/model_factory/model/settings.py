"""The SSM parameter with a model's settings, which the shared functions read (docs/reference/contracts.md)."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from ..config.pipeline import used_places
from ..core.names import ASYNC, ASYNC_PARTS
from .alarms import CHALLENGER_ALARMS
from .instance_types import has_local_storage
from .props import ModelProps


class ModelSettings(Construct):
    """The SSM parameter `/<factory>/<env>/models/<model>`.

    Attributes:
        parameter: The CloudFormation resource.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        props: The model. Needs `data_bucket`, `artifacts_bucket` and `key`; uses `vpc`.
        endpoint_role: Role of the endpoint's containers, such as the one of EndpointDeployer.

    Raises:
        ValueError: A bucket or the key is missing.
    """

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps, *, endpoint_role: iam.IRole) -> None:
        super().__init__(scope, construct_id)
        props.require(self, "data_bucket", "artifacts_bucket", "key")
        self.parameter = ssm.CfnParameter(
            self,
            "Parameter",
            name=props.names.settings_parameter,
            description=f"Settings of {props.config.name} for the functions of the environment",
            type="String",
            value=Stack.of(self).to_json_string(settings(props, endpoint_role.role_arn)),
        )


def settings(props: ModelProps, endpoint_role_arn: str) -> dict[str, Any]:
    """Content of the parameter; durations are in seconds."""
    config, names = props.config, props.names
    included = {"mode", "instance", "scaling", "canary", "serverless", "invalid_values", "challenger"}
    serving = config.serving.model_dump(mode="json", include=included) | _queue(props)
    return {
        "model": config.name,
        "model_package_group": names.model_package_group,
        "training_pipeline": names.training_pipeline,
        **({} if props.own_pipeline else {"scoring_pipeline": names.scoring_pipeline}),
        "endpoint": names.endpoint,
        **({"promoted_from": props.promoted_from} if props.promoted_from else {}),
        "tags": props.tags,
        # Without data that is read from there, no trigger waits for new data.
        "raw_uri": f"{props.uri('data', 'raw')}/" if _reads_raw_data(props) else "",
        "artifacts_uri": f"{props.uri('artifacts')}/",
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
            "encrypt_volumes": not has_local_storage(config.serving.instance),
            "capture_uri": f"{props.uri('data', 'captured')}/",
            "capture_percent": config.serving.capture_percent,
            "rollback_alarms": []
            if config.serving.mode == "batch"
            else [names.alarm("endpoint-errors"), names.alarm("endpoint-latency")],
            **({"challenger_alarms": challenger_alarms(props)} if challenger_alarms(props) else {}),
            **({"vpc_config": props.vpc.vpc_config} if props.vpc else {}),
        },
    }


def _queue(props: ModelProps) -> dict[str, Any]:
    """`async` of the settings: limits of the endpoint, and where its requests and answers are; nothing with another mode."""
    if props.config.serving.mode != "async":
        return {}
    limits = props.config.serving.async_.model_dump(mode="json", exclude={"retention"})
    places = {f"{part}_uri": f"{props.uri('data', f'{ASYNC}/{part}')}/" for part in ASYNC_PARTS}
    return {"async": limits | places}


def _reads_raw_data(props: ModelProps) -> bool:
    return props.own_pipeline is None or "{raw_uri}" in used_places(props.config.pipeline)


def challenger_alarms(props: ModelProps) -> list[str]:
    """Names of the alarms that end a trial; none without split traffic."""
    challenger = props.config.serving.challenger
    return [props.names.alarm(each) for each in CHALLENGER_ALARMS] if challenger and challenger.mode == "split" else []
