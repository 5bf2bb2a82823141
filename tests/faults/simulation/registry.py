"""SageMaker's model registry: versions, their approval, and the events of both."""

from dataclasses import dataclass

from .calls import refused
from .names import arn

PAGE = 10
STALE_SECONDS = 10


@dataclass
class Version:
    """A model package of one group, with its approval status over time as (time, status)."""

    number: int
    arn: str
    group: str
    created: object
    content: dict
    history: list

    @property
    def status(self):
        return self.history[-1][1]

    def status_at(self, time):
        """The status that a list shows whose newest change is from `time`; None before the version existed."""
        return next((status for when, status in reversed(self.history) if when <= time), None)


class Registry:
    """Model package groups."""

    def __init__(self, world):
        self._world, self.versions = world, {}

    def register(self, group, status, **content):
        """What the step Register of a training pipeline does."""
        now, number = self._world.clock.now, 1 + len(self.of(group))
        name = arn("sagemaker", f"model-package/{group}/{number}")
        version = Version(number, name, group, now, content, [(now, status)])
        self.versions[name] = version
        self._emit(version)
        return version

    def of(self, group):
        return [version for version in self.versions.values() if version.group == group]

    def newest_approved(self, group):
        """The truth."""
        return max((v for v in self.of(group) if v.status == "Approved"), key=lambda v: v.number, default=None)

    def set_status(self, version, status, description=""):
        """Approve or reject a version, as people do in Studio or the command does."""
        version.history.append((self._world.clock.now, status))
        version.content["ApprovalDescription"] = description
        self._emit(version)

    def delete(self, version):
        del self.versions[version.arn]

    def _emit(self, version):
        detail = self.description(version)
        detail = {name: str(value) if "Time" in name else value for name, value in detail.items()}
        self._world.bus.emit("aws.sagemaker", "SageMaker Model Package State Change", detail, version.arn)

    def description(self, version):
        return {
            "ModelPackageArn": version.arn,
            "ModelPackageGroupName": version.group,
            "ModelPackageVersion": version.number,
            "ModelPackageStatus": "Completed",
            "CreationTime": version.created,
            "LastModifiedTime": version.history[-1][0],
            "ModelApprovalStatus": version.status,
            **version.content,
        }

    def _visible(self, version):
        """The status that a list shows."""
        return version.status_at(self._world.listed_until)

    # The API

    def list_model_packages(
        self,
        ModelPackageGroupName,
        ModelApprovalStatus=None,
        MaxResults=PAGE,
        NextToken="0",
        SortOrder="Descending",
        **_,
    ):
        group = self.of(ModelPackageGroupName)
        found = [v for v in group if self._visible(v) in ((ModelApprovalStatus,) if ModelApprovalStatus else STATUSES)]
        found.sort(key=lambda version: version.number, reverse=SortOrder == "Descending")
        start = int(NextToken)
        page = {
            "ModelPackageSummaryList": [
                {
                    "ModelPackageArn": version.arn,
                    "ModelPackageGroupName": version.group,
                    "ModelPackageVersion": version.number,
                    "ModelPackageStatus": "Completed",
                    "CreationTime": version.created,
                    "ModelApprovalStatus": self._visible(version),
                }
                for version in found[start : start + MaxResults]
            ]
        }
        return page | ({"NextToken": str(start + MaxResults)} if start + MaxResults < len(found) else {})

    def describe_model_package(self, ModelPackageName):
        return self.description(self._get("DescribeModelPackage", ModelPackageName))

    def update_model_package(self, ModelPackageArn, ModelApprovalStatus=None, ApprovalDescription="", **others):
        version = self._get("UpdateModelPackage", ModelPackageArn)
        if added := others.get("CustomerMetadataProperties"):
            version.content.setdefault("CustomerMetadataProperties", {}).update(added)
        if ModelApprovalStatus:
            self._world.tell(f"  … sets version {version.number} to {ModelApprovalStatus}")
            self.set_status(version, ModelApprovalStatus, ApprovalDescription)
        return {"ModelPackageArn": version.arn}

    def delete_model_package(self, ModelPackageName):
        self.delete(self._get("DeleteModelPackage", ModelPackageName))
        return {}

    def _get(self, operation, name):
        if name not in self.versions:
            raise refused(operation, "ValidationException", f"ModelPackage {name} does not exist.")
        return self.versions[name]


STATUSES = ("Approved", "PendingManualApproval", "Rejected")
