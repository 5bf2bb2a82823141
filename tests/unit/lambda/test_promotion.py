"""lambda/delivery with `promote: model`: the version served in the previous environment is registered, once."""

import hashlib
import json

import pytest

from .promotions import ARTIFACT, IMAGES, Pipeline, World


@pytest.fixture
def world(local, delivery, monkeypatch):
    monkeypatch.setattr(local._dispatcher.replaced["sagemaker"].hosting, "deploy", lambda *_: None)
    monkeypatch.setattr(delivery["commit"], "codepipeline", Pipeline)
    world = World(local.accounts, delivery)
    monkeypatch.setattr(delivery["commit"], "_deployed_stacks", lambda *_: world.stacks)
    return world


def test_served_version_is_registered_with_digest_origin_and_reports(world):
    origin = world.trained()
    assert world.step().variables == {"trained": "none", "promoted": world.model, "leftovers": "none"}
    (made,) = world.prod.versions()
    facts, container = made["CustomerMetadataProperties"], made["InferenceSpecification"]["Containers"][0]
    assert facts["origin"] == origin
    assert facts["artifact_digest"] == hashlib.sha256(ARTIFACT).hexdigest()
    assert (facts["code_digest"], facts["trigger"]) == ("code 1", "promotion")
    assert made["ModelApprovalStatus"] == "Approved"
    assert made["ModelPackageDescription"] == "promotion: pushed abcdef012345, delivery e1"
    # The image in the target's registry.
    assert container["Image"] == facts["image"] == IMAGES["prod"]
    folder = f"s3://{world.prod.buckets['artifacts']}/{world.model}/executions/promoted-dev-v1"
    assert container["ModelDataUrl"] == f"{folder}/train/model.tar.gz"
    assert world.prod.read(container["ModelDataUrl"]) == ARTIFACT
    statistics = made["DriftCheckBaselines"]["ModelDataQuality"]["Statistics"]["S3Uri"]
    assert statistics == f"{folder}/prepare/baseline/statistics.json"
    assert world.prod.read(statistics.replace("statistics", "profile")) == b"profile.json"


def test_lineage_of_promoted_version_outlives_its_source(world):
    origin = world.trained()
    bucket = world.dev.buckets["artifacts"]
    artifact = world.dev.sagemaker.describe_model_package(ModelPackageName=origin)["InferenceSpecification"]
    folder = artifact["Containers"][0]["ModelDataUrl"].partition(f"{bucket}/")[2].removesuffix("train/model.tar.gz")
    files = {
        "prepare/report/manifest.json": b"manifest",
        "prepare/report/facts.json": b"facts",
        "prepare/test/part-0.parquet": b"test rows",
        "evaluation/evaluation.json": b"evaluation",
        "train/job/output/output.tar.gz": b"facts of the training",
    }
    for path, body in {**files, "prepare/train/part-0.parquet": b"training rows"}.items():
        world.dev.s3.put_object(Bucket=bucket, Key=folder + path, Body=body)
    world.step()
    for entry in world.dev.s3.list_objects_v2(Bucket=bucket)["Contents"]:
        world.dev.s3.delete_object(Bucket=bucket, Key=entry["Key"])
    (made,) = world.prod.versions()
    copies = f"s3://{world.prod.buckets['artifacts']}/{world.model}/executions/promoted-dev-v1/"
    assert made["CustomerMetadataProperties"]["data_manifest"] == f"{copies}prepare/report/manifest.json"
    assert {path: world.prod.read(copies + path) for path in files} == files
    kept = world.prod.s3.list_objects_v2(Bucket=world.prod.buckets["artifacts"])["Contents"]
    assert not [entry["Key"] for entry in kept if "prepare/train/" in entry["Key"]]


def test_version_is_promoted_only_once(world):
    world.trained()
    world.step()
    assert world.step().variables == {"trained": "none", "promoted": world.model, "leftovers": "none"}
    assert world.step("e2").summary == "unchanged: 1"
    assert len(world.prod.versions()) == 1


def test_promoted_version_is_pending_where_approval_is_manual(world):
    world.approval = "manual"
    world.trained()
    world.step()
    assert world.prod.versions()[0]["ModelApprovalStatus"] == "PendingManualApproval"


def test_reverted_version_is_promoted_by_next_delivery_only(world):
    world.trained()
    world.step()
    (made,) = world.prod.versions()
    world.prod.sagemaker.update_model_package(
        ModelPackageArn=made["ModelPackageArn"], ModelApprovalStatus="Rejected", ApprovalDescription="it was too slow"
    )
    world.step()
    assert len(world.prod.versions()) == 1
    said = world.step(task="smoke").message
    assert f"model {world.model} v1: it was too slow; there is no version before it" in said
    world.step("e2")
    assert [one["ModelApprovalStatus"] for one in world.prod.versions()] == ["Approved", "Rejected"]


def test_model_without_version_is_not_promoted(world):
    assert world.step().summary == f"no data yet: {world.model}; unchanged: 0"


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ({"code": "code 0"}, "dev has no approved version of the code that this delivery brings, the newest is v1"),
        ({"artifact_digest": "0" * 64}, f"and the evaluation measured {'0' * 64}"),
    ],
)
def test_version_of_other_code_or_artifact_fails_delivery(world, made, why):
    world.trained(**made)
    failed = world.step().message
    assert failed.startswith(f"training in prod failed: model {world.model}: ")
    assert why in failed
    assert world.prod.versions() == []


def test_delivery_promotes_its_own_code_after_a_later_delivery(world):
    first = world.dev.train(code="code 1")
    world.dev.train(code="code 1", status="Rejected")
    world.trained(code="code 2")
    world.step()
    assert world.prod.versions()[0]["CustomerMetadataProperties"]["origin"] == first


def test_served_version_is_promoted_among_several_of_same_code(world):
    serving = world.trained()
    world.dev.train()  # a nightly training that is not deployed yet
    world.step()
    assert world.prod.versions()[0]["CustomerMetadataProperties"]["origin"] == serving


def test_failure_reverts_versions_promoted_before(world):
    """Another model of the same delivery cannot be promoted, so the whole stage is reverted.

    There is no deploy queue: the event about the rejection is enough.
    """
    world.trained()
    world.step()
    other = World(world.accounts, world.delivery)
    other.factory = world.factory
    settings = other.prod.settings
    world.stacks.add(f"{world.prefix('prod')}-{other.model}")
    other.prod.client("ssm").put_parameter(
        Name=f"/{world.factory}/prod/models/{other.model}", Value=json.dumps(settings), Type="String"
    )
    said = world.step().message
    assert f"model {other.model}: it is not deployed in dev, from where it is to be promoted" in said
    assert f"with it: {world.model} v1 rejected, there is no version before it" in said
    assert world.prod.versions()[0]["ModelApprovalStatus"] == "Rejected"


def test_large_artifact_is_copied_in_parts(world, monkeypatch):
    part = 5 * 2**20
    monkeypatch.setattr(world.delivery["shared.promotion"], "PART_BYTES", part)
    content = hashlib.sha256(b"seed").digest() * (13 * 2**15)
    world.trained(artifact=content)
    world.step()
    (made,) = world.prod.versions()
    assert made["CustomerMetadataProperties"]["artifact_digest"] == hashlib.sha256(content).hexdigest()
    uri = made["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert world.prod.read(uri) == content
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    assert world.prod.s3.head_object(Bucket=bucket, Key=key)["ETag"].endswith('-3"')
    assert len(content) // part == 2


@pytest.mark.parametrize("part_bytes", [32 * 2**20, 5 * 2**20])
def test_changed_artifact_does_not_replace_an_earlier_copy(world, monkeypatch, part_bytes):
    """The copy may be live already: SageMaker loads it again when an endpoint gets another instance."""
    monkeypatch.setattr(world.delivery["shared.promotion"], "PART_BYTES", part_bytes)
    content = hashlib.sha256(b"seed").digest() * (6 * 2**15)
    world.trained(artifact=content)
    world.step()
    (made,) = world.prod.versions()
    copied = made["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    (trained,) = world.dev.versions()
    bucket, _, key = (
        trained["InferenceSpecification"]["Containers"][0]["ModelDataUrl"].removeprefix("s3://").partition("/")
    )
    world.dev.s3.put_object(Bucket=bucket, Key=key, Body=b"x" + content[1:])
    world.prod.sagemaker.delete_model_package(ModelPackageName=made["ModelPackageArn"])
    failed = world.step("e2").message
    assert "is not the file that version 1 was evaluated with" in failed
    assert world.prod.versions() == []
    assert world.prod.read(copied) == content
