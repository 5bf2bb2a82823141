"""Endpoints with several variants: shares of the traffic, and a shadow variant that gets copies of it."""

import pytest
from botocore.exceptions import ClientError

from local_aws.sagemaker.containers.container_view import kill

from .endpoint import capture, captured, flush

SHAPE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
CSV = {"CsvContentTypes": ["text/csv"]}


def two(endpoint, kind, **more):
    """A configuration with a production variant and a second variant of this kind."""
    models = {"main": endpoint.config("one"), "new": endpoint.config("two")}
    main, new = ({"VariantName": name, "ModelName": model, **SHAPE} for name, model in models.items())
    together = kind == "ProductionVariants"
    lists = {kind: [main, new]} if together else {"ProductionVariants": [main], kind: [new]}
    name = endpoint.aws.name("config")
    endpoint.aws.sagemaker.create_endpoint_config(EndpointConfigName=name, **lists, **more)
    return name


def test_shadow_variant_gets_copies_and_affects_no_caller(aws, endpoint):
    prefix = aws.name("captured")
    captures = capture(aws, prefix, CaptureContentTypeHeader=CSV)
    described = endpoint.create(two(endpoint, "ShadowProductionVariants", DataCaptureConfig=captures))
    assert [each["VariantName"] for each in described["ShadowProductionVariants"]] == ["new"]
    answers = [endpoint.invoke(InferenceId=f"id-{number}") for number in range(5)]
    assert {(each["InvokedProductionVariant"], each["Body"].read()) for each in answers} == {("main", b"one\n")}
    flush(aws)
    keys, lines = captured(aws, prefix)
    assert {key.split("/")[-6] for key in keys} == {"main", "new"}
    copies = [line for line in lines if line["captureData"]["endpointOutput"]["data"] == "two\n"]
    assert sorted(line["eventMetadata"]["inferenceId"] for line in copies) == [f"id-{number}" for number in range(5)]

    variants = aws.local._dispatcher.replaced["sagemaker"].hosting.fleets[described["EndpointArn"]]
    kill(variants.shadow.fleet._process)
    assert [endpoint.read() for _ in range(3)] == ["one\n"] * 3
    flush(aws)
    assert endpoint.settled()["EndpointStatus"] == "InService"

    # A deployment ends the copies while a request is answered.
    variants._end_copies()
    assert endpoint.read() == "one\n"
    flush(aws)


def test_variants_share_requests_and_names_change_without_guardrails(endpoint):
    endpoint.create(endpoint.config("one"))
    config = two(endpoint, "ProductionVariants")
    traffic = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 1}
    with pytest.raises(ClientError, match="must have the same names"):
        endpoint.update(config, DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": traffic}})
    endpoint.update(config)
    answered = [endpoint.invoke() for _ in range(60)]
    pairs = {(each["InvokedProductionVariant"], each["Body"].read()) for each in answered}
    assert pairs == {("main", b"one\n"), ("new", b"two\n")}
    assert endpoint.read(TargetVariant="new") == "two\n"
    with pytest.raises(ClientError, match="Variant missing not found"):
        endpoint.invoke(TargetVariant="missing")
