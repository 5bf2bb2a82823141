"""What DescribeEndpoint says of an endpoint's configuration."""

from ...json_api import Record


def variant_summaries(config: Record) -> Record:
    """The variants of a configuration in DescribeEndpoint, and its AsyncInferenceConfig."""
    kinds = ("ProductionVariants", "ShadowProductionVariants")
    queue = {"AsyncInferenceConfig": config["AsyncInferenceConfig"]} if "AsyncInferenceConfig" in config else {}
    return {kind: [_variant_summary(variant) for variant in config[kind]] for kind in kinds if kind in config} | queue


def _variant_summary(variant: Record) -> Record:
    count = variant.get("InitialInstanceCount", 1)
    weight = variant.get("InitialVariantWeight", 1.0)
    shown: Record = {"VariantName": variant["VariantName"], "CurrentWeight": weight, "DesiredWeight": weight}
    if "ServerlessConfig" in variant:
        shown["CurrentServerlessConfig"] = variant["ServerlessConfig"]
    else:
        shown |= {"CurrentInstanceCount": count, "DesiredInstanceCount": count}
    return shown


def capture_summary(config: Record) -> Record:
    """DataCaptureConfig of an endpoint configuration in DescribeEndpoint."""
    return {
        "EnableCapture": config.get("EnableCapture", True),
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }
