"""Model cards: content by SageMaker's schema, versions, and what an archived card refuses."""

import json
import uuid

import pytest
from botocore.exceptions import ClientError

CONTENT = {
    "model_overview": {"model_id": "m", "model_version": 3, "inference_environment": {"container_image": ["i"]}},
    "evaluation_details": [
        {
            "name": "Gate",
            "metric_groups": [{"name": "g", "metric_data": [{"name": "auc", "type": "number", "value": 1}]}],
        }
    ],
    "additional_information": {"custom_details": {"any_name": "text"}},
}


@pytest.fixture
def sagemaker(aws):
    return aws.client("sagemaker")


@pytest.fixture
def card(sagemaker):
    name = f"card-{uuid.uuid4().hex[:8]}"
    sagemaker.create_model_card(ModelCardName=name, Content=json.dumps(CONTENT), ModelCardStatus="Draft")
    return name


def code_of(call, **request):
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value.response["Error"]["Code"]


def test_content_is_a_new_version_and_status_is_not(sagemaker, card):
    sagemaker.update_model_card(ModelCardName=card, ModelCardStatus="Approved")
    assert sagemaker.describe_model_card(ModelCardName=card)["ModelCardVersion"] == 1
    sagemaker.update_model_card(ModelCardName=card, Content="{}")
    newest = sagemaker.describe_model_card(ModelCardName=card)
    assert (newest["ModelCardVersion"], newest["ModelCardStatus"], newest["Content"]) == (2, "Approved", "{}")
    first = sagemaker.describe_model_card(ModelCardName=card, ModelCardVersion=1)
    assert json.loads(first["Content"]) == CONTENT


def test_card_that_exists_conflicts(sagemaker, card):
    request = {"ModelCardName": card, "Content": "{}", "ModelCardStatus": "Draft"}
    assert code_of(sagemaker.create_model_card, **request) == "ConflictException"


@pytest.mark.parametrize(
    "content",
    [
        "no json",
        '{"model_overview": {"ModelId": "m"}}',
        '{"model_overview": {"model_version": "3"}}',
        '{"evaluation_details": [{}]}',
        '{"intended_uses": {"risk_rating": "Huge"}}',
    ],
)
def test_content_that_breaks_the_schema_is_refused(sagemaker, content):
    request = {"ModelCardName": "new", "Content": content, "ModelCardStatus": "Draft"}
    assert code_of(sagemaker.create_model_card, **request) == "ValidationException"


def test_archived_card_keeps_its_content(sagemaker, card):
    sagemaker.update_model_card(ModelCardName=card, ModelCardStatus="Archived")
    assert code_of(sagemaker.update_model_card, ModelCardName=card, Content="{}") == "ConflictException"
