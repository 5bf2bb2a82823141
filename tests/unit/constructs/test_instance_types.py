"""Instance types of jobs, endpoints and registered versions, over all types that SageMaker has."""

from types import SimpleNamespace

import pytest

from local_aws.rules import instance_types as embedded
from model_factory.definition.service_model import enumeration
from model_factory.model.instance_types import has_local_storage, processing_instance
from model_factory.model.jobs import resources

KINDS = ("TrainingInstanceType", "ProcessingInstanceType", "TransformInstanceType", "ProductionVariantInstanceType")


def test_keys_are_left_out_where_embedded_aws_refuses_them():
    kinds = sorted({kind for name in KINDS for kind in enumeration(name)})
    assert [kind for kind in kinds if has_local_storage(kind) != embedded.has_local_storage(kind)] == []
    assert 50 < sum(map(has_local_storage, kinds)) < len(kinds) / 2


@pytest.mark.parametrize(("instance", "key"), [("ml.m5.large", {"VolumeKmsKeyId": "arn"}), ("ml.g5.xlarge", {})])
def test_job_has_key_of_volume_unless_storage_is_local(instance, key):
    props = SimpleNamespace(config=SimpleNamespace(training=SimpleNamespace(volume_gb=30)), key="key", key_arn="arn")
    expected = {"InstanceCount": 1, "InstanceType": instance, "VolumeSizeInGB": 30}
    assert resources(props, instance) == expected | key


def test_every_training_instance_has_processing_instance():
    chosen = {processing_instance(kind) for kind in enumeration("TrainingInstanceType")}
    assert chosen <= enumeration("ProcessingInstanceType")


@pytest.mark.parametrize(
    ("training", "processing"),
    [
        ("ml.m5.4xlarge", "ml.m5.4xlarge"),
        ("ml.g5.xlarge", "ml.m5.xlarge"),
        ("ml.p4d.24xlarge", "ml.m5.xlarge"),
        ("ml.trn1.2xlarge", "ml.m5.xlarge"),
        ("ml.c5n.xlarge", "ml.m5.xlarge"),
    ],
)
def test_accelerators_are_not_for_processing(training, processing):
    assert processing_instance(training) == processing
