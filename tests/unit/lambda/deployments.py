"""The deploy function together with the endpoint that it manages."""

RECORD = "deployments/20261124T052129Z"
SENT = {"SentTimestamp": "1795497689050"}


class Deployments:
    """The deploy function, and one model with its endpoint."""

    def __init__(self, cloud, function):
        self.cloud, self.function, self.name = cloud, function, cloud.name
        self.sagemaker = cloud.client("sagemaker")
        self.sagemaker.create_model_package_group(ModelPackageGroupName=self.name)

    def register(self, status="Approved"):
        """Register a version; its number."""
        arn = self.sagemaker.create_model_package(
            ModelPackageGroupName=self.name,
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [{"Image": "image", "ModelDataUrl": "s3://artifacts/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            CustomerMetadataProperties={"data_digest": "0a1b"},
        )["ModelPackageArn"]
        return int(arn.rpartition("/")[2])

    def send(self, name="version_approved", **attributes):
        """Handle one message; the last log line, or None when the message returns to the queue."""
        record = self.cloud.message(name, **SENT | attributes)
        failed = self.function(record)
        assert failed in ([], [record["messageId"]])
        lines = self.function.logged()
        return lines[-1] if not failed else None

    def endpoint(self):
        return self.sagemaker.describe_endpoint(EndpointName=self.name)

    def settle(self, status="InService", rolled_back=False):
        """End the deployment in progress."""
        record = self.cloud.state.endpoints[self.name]
        pending = record.pop("PendingDeploymentSummary", record)["EndpointConfigName"]
        record["EndpointStatus"] = status
        if rolled_back or status == "Failed":
            record["FailureReason"] = "alarms are in ALARM"
        if not rolled_back:
            record["EndpointConfigName"] = pending

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

    def target(self):
        found = self.cloud.client("application-autoscaling").describe_scalable_targets(
            ServiceNamespace="sagemaker", ResourceIds=[f"endpoint/{self.name}/variant/AllTraffic"]
        )["ScalableTargets"]
        return found[0] if found else None
