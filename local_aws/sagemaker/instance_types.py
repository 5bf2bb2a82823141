"""Instance types with local storage, for which SageMaker takes no key of a volume.

Sources: EC2 user guide, "Instance store volumes", for the families that are instance types of SageMaker; API reference,
ResourceConfig, ProcessingClusterConfig and TransformResources (VolumeKmsKeyId) and CreateEndpointConfig (KmsKeyId).
"""

import re

from ..json_api import Record, ServiceError

# A d beside the generation's number (c5d, r6gd, g4dn, p4de) and these accelerated families.
_LOCAL_STORAGE = re.compile(
    r"[a-z]+\d+[a-z]?d[a-z]*|(g5|g6|g6e|gr6|g7|g7e|p5|p5e|p5en|p6|p6e|trn1|trn1n|trn2)(-\w+)?|dl1"
)


def has_local_storage(instance_type: str) -> bool:
    """Whether an instance type such as ml.g5.xlarge has NVMe disks of its own."""
    return bool(_LOCAL_STORAGE.fullmatch(instance_type.split(".")[1])) if instance_type.count(".") == 2 else False


def check_volume_key(cluster: Record) -> None:
    """Refuse a key for the volumes of a job's instances that have local storage. Raises ServiceError."""
    kind = cluster.get("InstanceType") or ""
    if cluster.get("VolumeKmsKeyId") and has_local_storage(kind):
        raise ServiceError(
            f"You can't request a VolumeKmsKeyId when using an instance type with local storage: {kind}. Local storage "
            "volumes are encrypted using a hardware module on the instance."
        )


def check_endpoint_key(config: Record) -> None:
    """Refuse a key for an endpoint configuration none of whose variants has a volume that it could encrypt."""
    kinds = [variant.get("InstanceType") or "" for variant in config["ProductionVariants"]]
    if config.get("KmsKeyId") and all(map(has_local_storage, kinds)):
        raise ServiceError(f"KMS key is not supported for NVMe instance storage: {', '.join(kinds)}.")
