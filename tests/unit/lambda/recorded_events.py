"""The recorder and the chain of records of a test's model; events of AWS about versions."""

import json
import uuid

from model_factory.functions.shared import chain

from .cloud import ACCOUNT, message

BOB = f"arn:aws:sts::{ACCOUNT}:assumed-role/approver/bob"
UNKNOWN = "unknown: see UpdateModelPackage in CloudTrail"


class Recorder:
    """The function, with its chain of the test's model."""

    def __init__(self, cloud, function):
        self.cloud, self.function = cloud, function

    def send(self, event, **attributes):
        """Handle an event; the records of the model, oldest first."""
        assert self.function(message(event, "_group", **attributes)) == []
        return self.records()

    def records(self):
        s3 = self.cloud.client("s3")
        listed = s3.list_objects_v2(Bucket=self.cloud.bucket, Prefix=chain.chain_prefix(self.cloud.model))
        keys = [entry["Key"] for entry in listed.get("Contents", [])]
        return [json.loads(s3.get_object(Bucket=self.cloud.bucket, Key=key)["Body"].read()) for key in reversed(keys)]

    def register(self, status="PendingManualApproval"):
        """Register a version; its ARN."""
        sagemaker = self.cloud.client("sagemaker")
        if self.cloud.name not in self.cloud.state.groups:
            sagemaker.create_model_package_group(ModelPackageGroupName=self.cloud.name)
        package = sagemaker.create_model_package(
            ModelPackageGroupName=self.cloud.name,
            ModelApprovalStatus=status,
            CustomerMetadataProperties={"data_digest": "0a1b"},
        )
        return package["ModelPackageArn"]

    def event(self, arn, *updated, **detail):
        """SageMaker's event about a version, with the times that the registry has."""
        package = self.cloud.state.packages[arn]
        event = self.cloud.event("version_approved", id=uuid.uuid4().hex)
        event["detail"].pop("LastModifiedTime")
        names = ("CreationTime", "LastModifiedTime", "ModelApprovalStatus", "ApprovalDescription")
        kept = {name: package[name] for name in names if name in package}
        times = {name: f"{value:%Y-%m-%dT%H:%M:%SZ}" for name, value in kept.items() if name.endswith("Time")}
        fields = {"UpdatedModelPackageFields": list(updated)} if updated else {}
        event["detail"] |= {"ModelPackageArn": arn, **kept, **times, **fields, **detail}
        return event

    def update(self, arn, by=BOB, **fields):
        """Update a version as `by`; the event."""
        self.cloud.client("sagemaker").update_model_package(ModelPackageArn=arn, **fields)
        self.cloud.state.packages[arn]["LastModifiedBy"] = {"IamIdentity": {"Arn": by}} if by else {}
        return self.event(arn, *fields)
