"""Instance types of SageMaker by what they have: local storage, accelerators, kinds of jobs that run on them."""

import re

from ..definition.service_model import enumeration
from ..libraries.instances import has_accelerator

# EC2 user guide, "Instance store volumes": a d beside the generation's number (c5d, r6gd, g4dn, p4de), and these families.
_LOCAL_STORAGE = re.compile(
    r"[a-z]+\d+[a-z]?d[a-z]*|(g5|g6|g6e|gr6|g7|g7e|p5|p5e|p5en|p6|p6e|trn1|trn1n|trn2)(-\w+)?|dl1"
)
DEFAULT = "ml.m5.xlarge"


def has_local_storage(instance_type: str) -> bool:
    """Whether an instance type has NVMe disks of its own. A hardware module encrypts them; SageMaker refuses a key for them.

    Source: API reference, ResourceConfig (VolumeKmsKeyId): "You can't request a VolumeKmsKeyId when using an instance type
    with local storage."
    """
    return bool(_LOCAL_STORAGE.fullmatch(instance_type.split(".")[1]))


def processing_instance(training_instance: str) -> str:
    """Instance type of processing jobs beside a training on `training_instance`: the same, or DEFAULT beside an accelerator.

    Preparing data and evaluating a model use no accelerator, and some training types are no processing types.
    """
    fits = training_instance in enumeration("ProcessingInstanceType")
    return training_instance if fits and not has_accelerator(training_instance) else DEFAULT
