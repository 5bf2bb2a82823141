"""The files of one training, in buckets of the embedded AWS, for tests of their evidence."""

import hashlib
import io
import json
import tarfile

import boto3
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from .cloud import REGION

EXECUTION = "arn:aws:sagemaker:eu-west-1:111111111111:pipeline/acme-prod-sales-train/execution/abc"
FOLDER = "s3://artifacts/sales/executions/abc/"
MODEL = b"the artifact"
DEFINITION = {
    "Steps": [
        {
            "Name": "Prepare",
            "Arguments": {"ProcessingInputs": [{"InputName": "code", "S3Input": {"S3Uri": "s3://assets/1.zip"}}]},
        }
    ]
}
FACTS = {"python": "3.12.9", "libraries": {"numpy": "2.5.1", "scikit_learn": "1.9.0"}}
OBJECTS = [{"bucket": "data", "key": "raw/1.csv", "version_id": "v1"}, {"bucket": "data", "key": "raw/2.csv"}]
ARTIFACT = "train/job-1/output/model.tar.gz"
BUCKETS = ("artifacts", "records", "assets")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class SageMaker:
    def describe_pipeline_definition_for_execution(self, PipelineExecutionArn):
        assert PipelineExecutionArn == EXECUTION
        return {"PipelineDefinition": json.dumps(DEFINITION)}


class Kms:
    """Signs digests as KMS does."""

    def __init__(self):
        self.private = ec.generate_private_key(ec.SECP256R1())

    def sign(self, **request):
        assert (request["MessageType"], request["SigningAlgorithm"]) == ("DIGEST", "ECDSA_SHA_256")
        return {"Signature": self.private.sign(request["Message"], ec.ECDSA(Prehashed(hashes.SHA256())))}

    def get_public_key(self, **_):
        kinds = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return {"PublicKey": self.private.public_key().public_bytes(*kinds)}


def put(s3, path: str, content: bytes) -> str:
    return s3.put_object(Bucket="artifacts", Key=f"sales/executions/abc/{path}", Body=content)["VersionId"]


def output_archive() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        content = json.dumps(FACTS).encode()
        member = tarfile.TarInfo("data/facts.json")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


def trained(s3) -> str:
    """The files of a training; the version id of the artifact."""
    for name in ("manifest", "report", "facts"):
        put(s3, f"prepare/report/{name}.json", json.dumps(FACTS | {"of": name, "objects": OBJECTS}).encode())
    put(s3, "prepare/report/inputs.json", b"{}")
    put(s3, "prepare/test/part-0.parquet", b"rows")
    put(s3, "prepare/train/part-0.parquet", b"not evidence")
    put(s3, "evaluation/evaluation.json", b"{}")
    put(s3, "train/job-1/output/output.tar.gz", output_archive())
    return put(s3, ARTIFACT, MODEL)


def kept(s3) -> dict[str, bytes]:
    listed = s3.list_objects_v2(Bucket="records", Prefix="sales/").get("Contents", [])
    return {e["Key"]: s3.get_object(Bucket="records", Key=e["Key"])["Body"].read() for e in listed}


def create_buckets():
    """A client of S3 with empty buckets with versions, and the zip of the code."""
    client = boto3.client("s3")
    for bucket in BUCKETS:
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket="assets", Key="1.zip", Body=b"code")
    return client


def delete_buckets(client):
    for bucket in BUCKETS:
        for entry in client.list_object_versions(Bucket=bucket).get("Versions", []):
            client.delete_object(Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])
        client.delete_bucket(Bucket=bucket)
