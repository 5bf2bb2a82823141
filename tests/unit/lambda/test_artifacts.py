"""The check of an artifact: the file that was evaluated, and no other, may be deployed or promoted."""

import base64
import hashlib
import io
import random

import boto3
import pytest
from botocore.exceptions import ClientError, IncompleteReadError
from botocore.response import StreamingBody

URI = "s3://artifacts/churn/executions/e1/train/model.tar.gz"
CONTENT = random.Random(0).randbytes(20_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Bucket:
    """S3 with one object."""

    def __init__(self, content: bytes = CONTENT, **facts):
        self.content, self.facts = content, facts

    def get_object(self, **request):
        assert request == {"Bucket": "artifacts", "Key": URI.removeprefix("s3://artifacts/"), "ChecksumMode": "ENABLED"}
        self.stream = io.BytesIO(self.content)
        body = StreamingBody(self.stream, len(self.content))
        return {"Body": body, "ContentLength": len(self.content), **self.facts}


def package(**metadata):
    containers = [{"Image": "sklearn", "ModelDataUrl": URI}]
    return {
        "ModelPackageVersion": 7,
        "InferenceSpecification": {"Containers": containers},
        "CustomerMetadataProperties": metadata,
    }


@pytest.fixture
def artifacts(modules):
    return modules("deploy", "shared.artifacts")["shared.artifacts"]


def test_evaluated_artifact_is_accepted(artifacts):
    bucket = Bucket(VersionId="v1")
    assert artifacts.check_artifact(package(artifact_digest=DIGEST), bucket) == "v1"
    assert bucket.stream.closed


def test_every_changed_byte_is_refused(artifacts):
    """One byte at random, 1,000 times."""
    rng, refused = random.Random(1), 0
    for _ in range(1_000):
        changed = bytearray(CONTENT)
        changed[rng.randrange(len(changed))] ^= rng.randrange(1, 256)
        with pytest.raises(artifacts.ArtifactError) as error:
            artifacts.check_artifact(package(artifact_digest=DIGEST), Bucket(bytes(changed)))
        refused += f"and the evaluation measured {DIGEST}" in str(error.value)
    assert refused == 1_000


def test_promotion_refuses_every_changed_byte(modules):
    """One byte at random, 1,000 times: nothing is written in the target."""
    promotion = modules("delivery", "shared.promotion")["shared.promotion"]
    rng = random.Random(2)

    class Source:
        def client(self, _):
            return self

        def head_object(self, **_):
            return {"ContentLength": len(CONTENT), "ETag": "e"}

        def get_object(self, **_):
            changed = bytearray(CONTENT)
            changed[rng.randrange(len(changed))] ^= rng.randrange(1, 256)
            return {"Body": io.BytesIO(changed)}

    class Target:
        def client(self, _):
            return object()  # any call would fail

    target = promotion.Target(Target(), "group", "s3://target/churn/", object(), "churn", "Approved")
    for _ in range(1_000):
        with pytest.raises(promotion.PromotionError, match="was evaluated with"):
            promotion.promote(
                package(artifact_digest=DIGEST) | {"ModelPackageArn": "arn"}, Source(), "dev", target, by="", reason=""
            )


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"\0", b"", CONTENT[1:] + CONTENT[:1]])
def test_shorter_longer_or_moved_content_is_refused(artifacts, content):
    digest = hashlib.sha256(content).hexdigest()
    with pytest.raises(artifacts.ArtifactError) as error:
        artifacts.check_artifact(package(artifact_digest=DIGEST), Bucket(content))
    assert str(error.value) == (
        f"{URI} is not the file that version 7 was evaluated with: its SHA-256 is {digest}, "
        f"and the evaluation measured {DIGEST}"
    )


@pytest.mark.parametrize(("stored", "is_accepted"), [(CONTENT, True), (b"another", False)])
def test_checksum_of_whole_object_is_compared_without_reading(artifacts, stored, is_accepted):
    checksum = base64.b64encode(hashlib.sha256(stored).digest()).decode()
    bucket = Bucket(b"never read", ChecksumSHA256=checksum, ChecksumType="FULL_OBJECT")
    if is_accepted:
        assert artifacts.check_artifact(package(artifact_digest=DIGEST), bucket) == "null"
    else:
        with pytest.raises(artifacts.ArtifactError, match="was evaluated with"):
            artifacts.check_artifact(package(artifact_digest=DIGEST), bucket)


def test_checksum_of_parts_is_not_trusted(artifacts):
    checksum = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode() + "-2"
    bucket = Bucket(b"another", ChecksumSHA256=checksum, ChecksumType="COMPOSITE")
    with pytest.raises(artifacts.ArtifactError, match="was evaluated with"):
        artifacts.check_artifact(package(artifact_digest=DIGEST), bucket)


def test_version_without_measurement_is_not_read(artifacts):
    assert artifacts.check_artifact(package(), None) is None
    assert artifacts.check_artifact({"InferenceSpecification": {}}, None) is None


def test_slow_read_is_refused_with_its_progress(artifacts, monkeypatch):
    monkeypatch.setattr(artifacts, "LONGEST_SECONDS", -1)
    with pytest.raises(artifacts.ArtifactError, match="within -1 s: 20000 of 20000 bytes were read"):
        artifacts.check_artifact(package(artifact_digest=DIGEST), Bucket())


def test_interrupted_read_raises_and_does_not_refuse(artifacts):
    class Interrupted(Bucket):
        def get_object(self, **request):
            response = super().get_object(**request)
            return response | {"Body": StreamingBody(io.BytesIO(CONTENT[:9]), len(CONTENT))}

    with pytest.raises(IncompleteReadError):
        artifacts.check_artifact(package(artifact_digest=DIGEST), Interrupted())


def test_missing_artifact_is_refused_and_other_errors_raise(artifacts, cloud):
    s3, container = boto3.client("s3"), {"ModelDataUrl": f"s3://{cloud.bucket}/gone.tar.gz"}
    missing = package(artifact_digest=DIGEST) | {"InferenceSpecification": {"Containers": [container]}}
    with pytest.raises(artifacts.ArtifactError, match=r"gone\.tar\.gz does not exist"):
        artifacts.check_artifact(missing, s3)

    class Denied:
        def get_object(self, **_):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")

    with pytest.raises(ClientError, match="AccessDenied"):
        artifacts.check_artifact(missing, Denied())


def test_artifact_of_s3_is_compared(artifacts, cloud):
    s3, key = boto3.client("s3"), "executions/e1/model.tar.gz"
    container = {"ModelDataUrl": f"s3://{cloud.bucket}/{key}"}
    version = package(artifact_digest=DIGEST) | {"InferenceSpecification": {"Containers": [container]}}
    for options in ({}, {"ChecksumAlgorithm": "SHA256"}):
        s3.put_object(Bucket=cloud.bucket, Key=key, Body=CONTENT, **options)
        assert artifacts.check_artifact(version, s3) == "null"
        s3.put_object(Bucket=cloud.bucket, Key=key, Body=b"x" + CONTENT[1:], **options)
        with pytest.raises(artifacts.ArtifactError, match="was evaluated with"):
            artifacts.check_artifact(version, s3)


def test_changed_artifact_is_not_deployed_and_alerts(live):
    live.register()
    live.cloud.client("s3").put_object(**live.artifact, Body=b"The model")
    assert live.send()["message"] == "its artifact is not the one that was evaluated"
    assert live.live() == 1
    assert not {"CreateModel", "CreateEndpointConfig", "UpdateEndpoint"} & set(live.function.changes)
    (alert,) = live.alerts()
    uri = "s3://{Bucket}/{Key}".format(**live.artifact)
    digests = [hashlib.sha256(content).hexdigest() for content in (b"The model", b"the model")]
    assert alert["why"] == (
        f"{uri} is not the file that version 2 was evaluated with: its SHA-256 is {digests[0]}, "
        f"and the evaluation measured {digests[1]}."
    )
    assert (alert["cause"], alert["version"], alert["model"]) == ("artifact-changed", 2, live.cloud.model)
    assert alert["command"] == "aws s3api list-object-versions --bucket {Bucket} --prefix {Key}".format(**live.artifact)


def test_first_deployment_of_changed_artifact_creates_nothing(deploy):
    deploy.register(artifact_digest="0" * 64)
    assert deploy.send()["message"] == "its artifact is not the one that was evaluated"
    assert deploy.function.changes == ["PutEvents"]
    deploy.register()
    deploy.send()
    deploy.settle()
    assert deploy.live() == 2


def test_deployed_object_version_is_logged(deploy):
    deploy.register()
    assert deploy.send()["artifact_version"] == "null"
