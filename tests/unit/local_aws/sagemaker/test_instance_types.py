"""Keys of volumes: which instance types take one, over all instance types that SageMaker has."""

import gzip
import json
from importlib.resources import files

import pytest

from local_aws.rules.instance_types import has_local_storage

# Instance types that Moto's copy of EC2's list lacks, and whether the EC2 user guide lists instance store volumes for them.
NOT_IN_MOTO = {"dl1": True, "p2": False, "p3": False, "p6e-gb200": True}


def sagemaker_types():
    folder = files("botocore") / "data" / "sagemaker"
    newest = max((version for version in folder.iterdir() if version.is_dir()), key=lambda version: version.name)
    shapes = json.loads(gzip.decompress((newest / "service-2.json.gz").read_bytes()))["shapes"]
    names = ("TrainingInstanceType", "ProcessingInstanceType", "TransformInstanceType", "ProductionVariantInstanceType")
    return sorted({kind for name in names for kind in shapes[name]["enum"]})


def test_local_storage_is_what_ec2_lists():
    ec2 = json.loads(gzip.decompress((files("moto") / "ec2/resources/instance_types.json.gz").read_bytes()))
    wrong = []
    for kind in sagemaker_types():
        listed = ec2.get(kind.removeprefix("ml."))
        expected = listed["InstanceStorageSupported"] if listed else NOT_IN_MOTO[kind.split(".")[1]]
        if has_local_storage(kind) != expected:
            wrong.append(kind)
    assert wrong == []


@pytest.mark.parametrize("kind", ["Processing", "Training"])
def test_job_with_key_of_local_storage_is_refused(aws, kind):
    request = aws.processing("") if kind == "Processing" else aws.training("")
    cluster = request["ProcessingResources"]["ClusterConfig"] if kind == "Processing" else request["ResourceConfig"]
    cluster |= {"InstanceType": "ml.g5.xlarge", "VolumeKmsKeyId": "key"}
    with pytest.raises(aws.sagemaker.exceptions.ClientError, match=r"local storage: ml.g5.xlarge"):
        aws.run_job(kind, request)
