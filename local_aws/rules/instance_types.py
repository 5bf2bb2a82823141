"""Instance types with local storage, for which SageMaker takes no key of a volume.

Sources: EC2 user guide, "Instance store volumes", for the families that are instance types of SageMaker; API reference,
ResourceConfig, ProcessingClusterConfig and TransformResources (VolumeKmsKeyId) and CreateEndpointConfig (KmsKeyId).
"""

import re

# A d beside the generation's number (c5d, r6gd, g4dn, p4de) and these accelerated families.
_LOCAL_STORAGE = re.compile(
    r"[a-z]+\d+[a-z]?d[a-z]*|(g5|g6|g6e|gr6|g7|g7e|p5|p5e|p5en|p6|p6e|trn1|trn1n|trn2)(-\w+)?|dl1"
)


def has_local_storage(instance_type: str) -> bool:
    """Whether an instance type such as ml.g5.xlarge has NVMe disks of its own."""
    return bool(_LOCAL_STORAGE.fullmatch(instance_type.split(".")[1])) if instance_type.count(".") == 2 else False
