"""The deploy function together with the endpoint that it manages."""

import hashlib
import json
import uuid
from datetime import UTC, datetime

from local_aws.sagemaker.hosting.descriptions import variant_summaries

from .cloud import ACCOUNT, REGION, message


class Deployments:
    """The deploy function, and one model with its endpoint."""

    def __init__(self, cloud, function):
        self.cloud, self.function, self.name = cloud, function, cloud.name
        self.sagemaker = cloud.client("sagemaker")
        self.sagemaker.create_model_package_group(ModelPackageGroupName=self.name)

    def register(self, status="Approved", artifact=b"the model", **metadata):
        """Register a version with its artifact; its number."""
        key = f"executions/{uuid.uuid4().hex[:8]}/train/model.tar.gz"
        self.artifact = {"Bucket": self.cloud.bucket, "Key": key}
        self.cloud.client("s3").put_object(**self.artifact, Body=artifact)
        arn = self.sagemaker.create_model_package(
            ModelPackageGroupName=self.name,
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [{"Image": "image", "ModelDataUrl": f"s3://{self.cloud.bucket}/{key}"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            CustomerMetadataProperties={
                "data_digest": "0a1b",
                "artifact_digest": hashlib.sha256(artifact).hexdigest(),
                **metadata,
            },
        )["ModelPackageArn"]
        return int(arn.rpartition("/")[2])

    def send(self, name="version_approved", **attributes):
        """Handle one message; the last log line, or None when the message returns to the queue."""
        record = self.cloud.message(name, **attributes)
        failed = self.function(record)
        assert failed in ([], [record["messageId"]])
        lines = self.function.logged()
        return lines[-1] if not failed else None

    def endpoint(self):
        return self.sagemaker.describe_endpoint(EndpointName=self.name)

    def settle(self, status="InService", rolled_back=False, reason="alarms are in ALARM"):
        """End the deployment in progress."""
        record = self.cloud.state.endpoints[self.name]
        pending = record.pop("PendingDeploymentSummary", record)["EndpointConfigName"]
        record |= {"EndpointStatus": status, "LastModifiedTime": datetime.now(UTC)}
        record.pop("FailureReason", None)
        if reason and (rolled_back or status == "Failed"):
            record["FailureReason"] = reason
        if not rolled_back:
            record["EndpointConfigName"] = pending
            record.pop("ShadowProductionVariants", None)
            record |= variant_summaries(self.cloud.state.endpoint_configs[pending])

    def end(self, **outcome):
        """End the deployment in progress, and handle its event; the last log line."""
        self.settle(**outcome)
        return self.send("endpoint_in_service")

    def alerts(self):
        """The alerts since the last call, as the details of their events."""
        sent = [json.loads(request["Entries"][0]["Detail"]) for request in self.calls("PutEvents")]
        self.function.calls[:] = [call for call in self.function.calls if call[0] != "PutEvents"]
        return sent

    def records(self):
        """What the records of deployments say, oldest first."""
        return [
            {**sent["facts"], **{name: sent[name] for name in ("time", "version", "subject", "by")}}
            for sent in self.cloud.records("deployment")
        ]

    def set_approval(self, version, status, by=None):
        """Change the approval status of a version, as a person does in SageMaker's console."""
        arn = self.package_arn(version)
        self.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)
        if by:
            self.cloud.state.packages[arn]["LastModifiedBy"] = {"IamIdentity": {"Arn": by}}

    def package_arn(self, version):
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{self.name}/{version}"

    def send_version_event(self, version, status="Approved"):
        """Handle SageMaker's event about a version; the last log line."""
        event = self.cloud.event("version_approved", id=uuid.uuid4().hex)
        event["detail"] |= {
            "ModelPackageVersion": version,
            "ModelPackageArn": self.package_arn(version),
            "ModelApprovalStatus": status,
        }
        return self.send_body(event)

    def send_body(self, body, **attributes):
        """Handle one message with this body; the last log line, or None when the message returns to the queue."""
        record = message(body, self.cloud.model, **attributes)
        failed = self.function(record)
        lines = self.function.logged()
        return lines[-1] if not failed else None

    def request(self, **more):
        """Handle a new manual request; the last log line."""
        return self.send_body(self.cloud.event("manual", id=uuid.uuid4().hex, **more))

    def live(self):
        """The live version."""
        config = self.sagemaker.describe_endpoint_config(EndpointConfigName=self.endpoint()["EndpointConfigName"])
        model = self.sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        return int(model["PrimaryContainer"]["ModelPackageName"].rpartition("/")[2])

    def calls(self, operation):
        return [parameters for name, parameters in self.function.calls if name == operation]

    def scale(self, minimum=1, maximum=4):
        """Configure automatic scaling."""
        self.cloud.configure(scaling={"minimum": minimum, "maximum": maximum, "invocations_per_instance": 500})

    def target(self, variant="AllTraffic"):
        """The scaling of a variant; None without one."""
        found = self.cloud.client("application-autoscaling").describe_scalable_targets(
            ServiceNamespace="sagemaker", ResourceIds=[f"endpoint/{self.name}/variant/{variant}"]
        )["ScalableTargets"]
        return found[0] if found else None
