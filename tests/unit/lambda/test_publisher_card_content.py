"""Content of a model card from records alone: what it says, and where texts are cut."""

import json

import pytest

PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/acme-prod-churn/2"
EVALUATION = {
    "gate": {"passed": 1, "reason": "r" * 3000, "metric": "auc", "value": 0.81, "too_few_rows": False, "more": ["no scalar"]},
    "problem": "binary_classification",
    "metrics": {"auc": {"value": 0.81, "low": 0.5, "high": 0.92345}, "f1": {"value": None}, "recall": {"value": 0, "low": None}},
    "rows": 100,
    "champion": {"version": 1, "metrics": {"auc": {"value": 0.8, "low": 0.79, "high": 0.81}}},
    "uses": {"intended": "u" * 2048, "limits": "l" * 2049},
}  # fmt: skip


def record(kind="registration", sequence=1, facts=None, **more):
    """A record as the recorder writes it."""
    found = {
        "kind": kind,
        "sequence": sequence,
        "id": f"{kind}#{sequence}",
        "time": f"2026-11-25T12:00:{sequence:02}+00:00",
        "factory": "acme",
        "environment": "prod",
        "model": "churn",
        "version": 2,
        "subject": PACKAGE,
        "by": {"identity": "arn:aws:iam::1:role/ada", "source": "sagemaker", "claimed": None},
        "facts": facts or {},
    }
    return found | more


def registration(**facts):
    container = {"Image": "i" * 1025, "ModelDataUrl": "s3://artifacts/m/model.tar.gz"}
    given = {
        "ModelApprovalStatus": "PendingManualApproval",
        "ModelPackageGroupName": "acme-prod-churn",
        "ModelPackageDescription": "d" * 1024,
        "InferenceSpecification": {"Containers": [container]},
        "CustomerMetadataProperties": {"seed": "7", "git_commit": "4b825dc", "trigger": "", "surprise": "x"},
        "run": {"seed": 7},
    }
    return record(facts=given | facts)


@pytest.fixture
def cards(modules):
    return modules("publisher", "card_content")["card_content"]


def card(cards, registered=None, decisions=(), **more):
    return json.loads(cards.content(cards.Version(registered or registration(), decisions, **more)))


def test_card_has_the_facts_of_the_registration(cards):
    found = card(cards, evaluation=EVALUATION)
    assert found["model_overview"] == {
        "model_id": PACKAGE,
        "model_name": "acme-prod-churn",
        "model_version": 2,
        "model_description": "d" * 1024,
        "model_creator": "arn:aws:iam::1:role/ada",
        "problem_type": "binary_classification",
        "model_artifact": ["s3://artifacts/m/model.tar.gz"],
        "inference_environment": {"container_image": ["i" * 1023 + "…"]},
    }
    assert found["model_package_details"] == {
        "model_package_arn": PACKAGE,
        "model_package_group_name": "acme-prod-churn",
        "model_package_version": 2,
        "model_approval_status": "PendingManualApproval",
    }
    assert found["intended_uses"] == {"intended_uses": "u" * 2048, "risk_rating": "Unknown"}
    assert found["additional_information"]["caveats_and_recommendations"] == "l" * 2047 + "…"
    assert found["additional_information"]["custom_details"] == {
        "git_commit": "4b825dc",
        "seed": "7",
        "registration_record": "churn/chain, record 1",
        "run_seed": "7",
    }


def test_card_has_metrics_of_the_gate_and_of_the_champion(cards):
    (evaluation,) = card(cards, evaluation=EVALUATION)["evaluation_details"]
    assert evaluation["evaluation_observation"] == "r" * 2047 + "…"
    assert evaluation["metadata"] == {
        "passed": "1",
        "reason": "r" * 1023 + "…",
        "metric": "auc",
        "value": "0.81",
        "too_few_rows": "False",
        "test_rows": "100",
    }
    own, champion = evaluation["metric_groups"]
    assert own == {
        "name": "Test rows",
        "metric_data": [
            {"name": "auc", "type": "number", "value": 0.81, "notes": "95 % interval: 0.5 to 0.9234"},
            {"name": "recall", "type": "number", "value": 0},
        ],
    }
    assert champion["name"] == "Live version 1 on the same rows"


def test_version_without_evaluation_and_container_has_a_card(cards):
    nobody = {"identity": None, "source": "sagemaker", "claimed": None}
    found = card(cards, registration(InferenceSpecification={}, ModelPackageDescription="") | {"by": nobody})
    assert found["model_overview"]["model_creator"] == "unknown"
    assert not {"model_artifact", "inference_environment", "model_description"} & set(found["model_overview"])
    assert found["evaluation_details"] == []
    found = card(cards, evaluation=EVALUATION | {"metrics": {}, "champion": None})
    assert found["evaluation_details"][0]["metric_groups"] == []


def test_names_of_metrics_and_groups_are_cut(cards):
    metrics = {"m" * 256: {"value": 1.5}}
    evaluation = EVALUATION | {"metrics": metrics, "champion": {"version": "9" * 60, "metrics": metrics}}
    own, champion = card(cards, evaluation=evaluation)["evaluation_details"][0]["metric_groups"]
    assert own["metric_data"] == [{"name": "m" * 254 + "…", "type": "number", "value": 1.5}]
    assert len(champion["name"]) == 63


@pytest.mark.parametrize(
    ("decisions", "approval", "status"),
    [
        ([], "PendingManualApproval", "PendingReview"),
        ([("approval", "Approved")], "Approved", "Approved"),
        ([("approval", "Approved"), ("rejection", "Rejected")], "Rejected", "Draft"),
        ([("rejection", "Rejected"), ("approval", "Approved")], "Approved", "Approved"),
    ],
)
def test_status_follows_the_newest_decision(cards, decisions, approval, status):
    made = [record(kind, 2 + number, {"decision": what}) for number, (kind, what) in enumerate(decisions)]
    others = [record("deployment", 8, {"outcome": "succeeded"}), record("approval", 9, {"refused": "approval#2"})]
    version = cards.Version(registration(), [*made, *others])
    assert (version.approval, cards.status(version)) == (approval, status)


def test_card_names_the_newest_twenty_decisions(cards):
    made = [record("deployment", number, {"outcome": "succeeded"}) for number in range(10, 31)]
    details = card(cards, decisions=made)["additional_information"]["custom_details"]
    named = sorted(name for name in details if name.startswith("deployment_"))
    assert named == [f"deployment_{number}" for number in range(11, 31)]
    assert details["deployment_11"] == "2026-11-25T12:00:11+00:00: succeeded by arn:aws:iam::1:role/ada"


def test_decision_names_who_claims_it_and_why(cards):
    ada = {"identity": "arn", "source": "sqs-sender", "claimed": "ada"}
    nobody = {"identity": None, "source": "sqs-sender", "claimed": None}
    made = [
        record("approval", 2, {"decision": "Approved", "reason": "r" * 2000}, by=ada),
        record("promotion", 3, {}, by=nobody),
    ]
    details = card(cards, decisions=made)["additional_information"]["custom_details"]
    assert details["approval_2"].startswith("2026-11-25T12:00:02+00:00: Approved by ada: rrr")
    assert len(details["approval_2"]) == 1024
    assert details["promotion_3"] == "2026-11-25T12:00:03+00:00: promotion by unknown"


def test_card_names_job_and_manifest_of_the_training(cards):
    steps = [
        {"name": "Prepare", "arn": "arn:aws:sagemaker:eu-west-1:1:processing-job/p"},
        {"name": "Gate"},
        {"name": "Train", "arn": "arn:aws:sagemaker:eu-west-1:1:training-job/t"},
    ]
    registered = registration(CustomerMetadataProperties={"data_manifest": "s3://artifacts/manifest.json"})
    found = card(cards, registered, training=record("training", 3, {"steps": steps}))["training_details"]
    assert found["training_observations"] == "d" * 1024
    assert found["training_job_details"]["training_arn"] == "arn:aws:sagemaker:eu-west-1:1:training-job/t"
    assert found["training_job_details"]["training_datasets"] == ["s3://artifacts/manifest.json"]
    assert "training_arn" not in card(cards)["training_details"]["training_job_details"]


def test_card_that_is_too_long_names_its_length(cards):
    def described(length):
        return registration(ModelPackageGroupName="g" * length)

    empty = len(
        cards.content(cards.Version(described(0)))
    )  # without the empty member: `"model_package_group_name": "", `
    fits = 100_000 - empty - len('"model_package_group_name": "", ')
    assert len(cards.content(cards.Version(described(fits)))) == 100_000
    with pytest.raises(ValueError, match="has 100001 of at most 100000 characters"):
        cards.content(cards.Version(described(fits + 1)))
