"""The publisher: a version has a model card that follows its records."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from .cloud import refused
from .published_records import CARD_KEY, NOW, SAGEMAKER


def test_card_has_what_the_records_say(factory):
    factory.publish(factory.register(), factory.train())
    (card,) = factory.cards()
    content = json.loads(card["Content"])
    assert (card["ModelCardStatus"], content["model_overview"]["model_version"]) == ("PendingReview", 2)
    assert card["SecurityConfig"] == {"KmsKeyId": CARD_KEY}
    assert content["intended_uses"]["intended_uses"] == "Rank offers."
    assert content["additional_information"]["caveats_and_recommendations"] == "Not for loans."
    (evaluation,) = content["evaluation_details"]
    metrics = {group["name"]: group["metric_data"] for group in evaluation["metric_groups"]}
    assert metrics["Test rows"] == [
        {"name": "auc", "type": "number", "value": 0.81, "notes": "95 % interval: 0.8 to 0.82"}
    ]
    assert "Live version 1 on the same rows" in metrics
    assert content["training_details"]["training_job_details"]["training_arn"] == f"{SAGEMAKER}:training-job/t"


def test_card_follows_approvals_and_deployments(factory):
    registered = factory.register()
    approved = factory.write(
        "approval",
        {"decision": "Approved", "reason": "fine"},
        version=2,
        subject=factory.package(),
        time=NOW + timedelta(minutes=1),
    )
    deployed = factory.deploy()
    factory.publish(deployed, approved, registered)
    (card,) = factory.cards()
    details = json.loads(card["Content"])["additional_information"]["custom_details"]
    assert card["ModelCardStatus"] == "Approved"
    assert (details["code_digest"], details["libraries_digest"]) == ("0d1e", "11b5")
    assert details["approval_2"].endswith("Approved by arn:aws:iam::1:role/ada: fine")
    assert "succeeded" in details["deployment_3"]


def test_refused_decision_changes_no_card(factory):
    factory.publish(factory.register())
    refused = {"refused": "approval#2", "what": "the approval status was not set", "error": "denied"}
    factory.publish(factory.write("approval", refused, version=2, subject=factory.package()))
    (card,) = factory.cards()
    assert card["ModelCardStatus"] == "PendingReview"


def test_refreshed_card_is_named_by_its_registration(factory):
    module = factory.function.module
    records = module.Records(factory.s3, factory.bucket, factory.bucket)
    cards = module.Cards(factory.sagemaker, records, "acme-prod", CARD_KEY)
    record = records.read(factory.register()["detail"]["object"]["key"])
    name = cards.refresh(record, 2)
    assert [card["ModelCardName"] for card in factory.cards()] == [name]


def test_card_changes_with_later_records_until_it_is_archived(factory):
    factory.publish(factory.register())
    (before,) = factory.cards()
    decision = {"version": 2, "subject": factory.package()}
    factory.publish(factory.write("approval", {"decision": "Approved", "reason": "fine"}, **decision))
    (approved,) = factory.cards()
    assert (before["ModelCardStatus"], approved["ModelCardStatus"]) == ("PendingReview", "Approved")
    assert "fine" in approved["Content"]
    assert "fine" not in before["Content"]
    factory.sagemaker.update_model_card(ModelCardName=approved["ModelCardName"], ModelCardStatus="Archived")
    factory.publish(factory.write("rejection", {"decision": "Rejected", "reason": "slow"}, **decision))
    (archived,) = factory.cards()
    assert (archived["ModelCardStatus"], archived["Content"]) == ("Archived", approved["Content"])


EXECUTION = f"{SAGEMAKER}:pipeline/acme-prod-churn-train/execution/4r8"


@pytest.fixture
def trained(factory):
    """The training that is found for a registration among so many later ones of others, with or without its own."""

    def trained(others, metadata, minutes=0):
        markers = [(NOW + timedelta(minutes=minutes), 0, number) for number in range(others + 1)]
        records = SimpleNamespace(
            markers=lambda *_: iter(markers),
            of_sequence=lambda _, number: {"subject": EXECUTION if number == others else "other", "number": number},
        )
        registration = {"model": "churn", "time": NOW.replace(microsecond=5).isoformat()}
        registration["facts"] = {"CustomerMetadataProperties": metadata}
        found = factory.function.module.Cards(None, records, "acme-prod", CARD_KEY)._training(registration)
        return found and found["number"]

    return trained


def test_training_is_one_of_three_that_ended_after_the_registration(trained):
    own = {"pipeline_execution": EXECUTION}
    assert [trained(others, own) for others in (0, 2, 3)] == [0, 2, None]
    assert trained(0, own, minutes=-1) is None
    assert trained(0, {}) is None
    assert trained(0, own | {"origin": "arn"}) is None, "it was trained in another environment"


def test_refused_reading_of_card_creates_none(factory):
    def refuses(**_):
        raise refused("ThrottlingException")

    cards = factory.function.module.Cards(SimpleNamespace(describe_model_card=refuses), None, "acme-prod", CARD_KEY)
    with pytest.raises(ClientError, match="ThrottlingException"):
        cards._write("acme-prod-churn-v2", "{}", "Draft")


def test_card_is_of_the_newest_registration_with_its_version(factory):
    """After the model's stack was deleted, a version of the same number is another one."""
    factory.publish(factory.register())
    factory.publish(factory.write("rejection", {"decision": "Rejected"}, version=2, subject=factory.package()))
    factory.publish(factory.register(3))
    again = factory.write(
        "registration",
        {"ModelApprovalStatus": "Approved"},
        version=2,
        subject=factory.package(),
        time=NOW + timedelta(days=1),
    )
    factory.publish(again)
    assert sorted(card["ModelCardStatus"] for card in factory.cards()) == ["Approved", "Draft", "PendingReview"]
