"""SageMaker hosting: models, endpoint configurations, endpoints and their deployments.

UpdateEndpoint is refused while the endpoint changes; a deployment that fails or whose alarms go off ends with the configuration
before and a FailureReason; a creation that fails leaves an endpoint that can only be deleted (DescribeEndpoint, UpdateEndpoint).
"""

import io
from dataclasses import dataclass

from .calls import refused
from .names import arn

EVENT_STATUS = {"InService": "IN_SERVICE", "OutOfService": "OUT_OF_SERVICE"}
DELETABLE = ("InService", "Failed", "OutOfService", "UpdateRollbackFailed")


@dataclass
class Deployment:
    """What became of one CreateEndpoint or UpdateEndpoint: the truth that records are compared with.

    `repeats`: whether it was made for a message that SQS had delivered before. `invoked`: when the function began that made it.
    """

    config: str
    previous: str | None
    started: object
    alarms: list
    by: str
    repeats: bool = False
    invoked: object = None
    ended: object = None
    outcome: str = ""
    reason: str | None = None


@dataclass
class Endpoint:
    """An endpoint and its deployment in progress."""

    name: str
    config: str | None
    status: str
    created: object
    modified: object
    tags: list
    deployment: Deployment | None = None
    reason: str | None = None
    last_config: dict | None = None


class Hosting:
    """Models, endpoint configurations and endpoints of an account."""

    def __init__(self, world):
        self._world = world
        self.models, self.configs, self.endpoints, self.deployments = {}, {}, {}, []
        self.deleted, self.group_tags = [], {}
        self.answers = lambda package: True

    # What happens by itself, or what people do

    def end_deployment(self, name, failure=None):
        """A creation or update ends; with a reason it fails or is rolled back. Alarms in ALARM roll it back."""
        endpoint, now = self.endpoints[name], self._world.clock.now
        deployment = endpoint.deployment
        rung = [alarm for alarm in deployment.alarms if self._world.cloudwatch.states.get(alarm) == "ALARM"]
        failure = f"One or more configured alarm(s) went off: {', '.join(rung)}" if rung else failure
        first = endpoint.status == "Creating"
        endpoint.reason, endpoint.modified, endpoint.deployment = failure, now, None
        if not failure:
            endpoint.config = deployment.config
        endpoint.status = "Failed" if failure and first else "InService"
        deployment.ended, deployment.reason = now, failure
        deployment.outcome = "succeeded" if not failure else "failed" if first else "rolled back"
        self._emit(endpoint, deployment.config if first else endpoint.config)

    def end_deletion(self, name):
        endpoint = self.endpoints.pop(name)
        self._emit(endpoint, endpoint.config, "DELETED")

    def system_update(self, name, begins):
        """SageMaker patches the instances; the configuration stays."""
        self._change(self.endpoints[name], "SystemUpdating" if begins else "InService")

    def _change(self, endpoint, status):
        endpoint.status, endpoint.modified = status, self._world.clock.now
        self._emit(endpoint, endpoint.config)

    def _emit(self, endpoint, config, status=None):
        detail = {
            "EndpointName": endpoint.name,
            "EndpointArn": arn("sagemaker", f"endpoint/{endpoint.name}"),
            "EndpointConfigName": config,
            "EndpointStatus": status or EVENT_STATUS.get(endpoint.status, endpoint.status.upper()),
            "CreationTime": endpoint.created.timestamp() * 1000,
            "LastModifiedTime": endpoint.modified.timestamp() * 1000,
            "Tags": {tag["Key"]: tag["Value"] for tag in endpoint.tags},
        }
        if endpoint.reason and status != "DELETED" and endpoint.status != "Deleting":
            detail["FailureReason"] = endpoint.reason
        self._world.bus.emit("aws.sagemaker", "SageMaker Endpoint State Change", detail, detail["EndpointArn"])

    # The API

    def create_model(self, ModelName, **request):
        self._create("CreateModel", self.models, ModelName, request, "model")
        return {"ModelArn": arn("sagemaker", f"model/{ModelName}")}

    def describe_model(self, ModelName):
        return {"ModelName": ModelName} | self._get("DescribeModel", self.models, ModelName, "model")

    def delete_model(self, ModelName):
        self._get("DeleteModel", self.models, ModelName, "model")
        del self.models[ModelName]
        return {}

    def create_endpoint_config(self, EndpointConfigName, **request):
        for variant in (*request["ProductionVariants"], *request.get("ShadowProductionVariants", [])):
            self._get("CreateEndpointConfig", self.models, variant["ModelName"], "model")
        self._create("CreateEndpointConfig", self.configs, EndpointConfigName, request, "endpoint-config")
        return {"EndpointConfigArn": arn("sagemaker", f"endpoint-config/{EndpointConfigName}")}

    def describe_endpoint_config(self, EndpointConfigName):
        found = self._get("DescribeEndpointConfig", self.configs, EndpointConfigName, "endpoint configuration")
        where = arn("sagemaker", f"endpoint-config/{EndpointConfigName}")
        return {"EndpointConfigName": EndpointConfigName, "EndpointConfigArn": where} | found

    def delete_endpoint_config(self, EndpointConfigName):
        self._get("DeleteEndpointConfig", self.configs, EndpointConfigName, "endpoint configuration")
        del self.configs[EndpointConfigName]
        return {}

    def list_models(self, NameContains="", **_):
        return {"Models": [{"ModelName": name} for name in self.models if NameContains in name]}

    def list_endpoint_configs(self, NameContains="", **_):
        return {"EndpointConfigs": [{"EndpointConfigName": name} for name in self.configs if NameContains in name]}

    def create_endpoint(self, EndpointName, EndpointConfigName, Tags=(), **_):
        self._get("CreateEndpoint", self.configs, EndpointConfigName, "endpoint configuration")
        if EndpointName in self.endpoints:
            message = f'Cannot create already existing endpoint "{arn("sagemaker", f"endpoint/{EndpointName}")}".'
            raise refused("CreateEndpoint", "ValidationException", message)
        now = self._world.clock.now
        endpoint = Endpoint(EndpointName, EndpointConfigName, "Creating", now, now, list(Tags))
        self.endpoints[EndpointName] = endpoint
        self._begin(endpoint, EndpointConfigName, None, [])
        return {"EndpointArn": arn("sagemaker", f"endpoint/{EndpointName}")}

    def update_endpoint(self, EndpointName, EndpointConfigName, DeploymentConfig=None, **_):
        endpoint = self._get("UpdateEndpoint", self.endpoints, EndpointName, "endpoint")
        self._get("UpdateEndpoint", self.configs, EndpointConfigName, "endpoint configuration")
        if endpoint.status not in ("InService", "OutOfService", "UpdateRollbackFailed"):
            where = arn("sagemaker", f"endpoint/{EndpointName}")
            message = f'Cannot update in-progress endpoint "{where}".'
            raise refused("UpdateEndpoint", "ValidationException", message)
        if DeploymentConfig and self._variants(EndpointConfigName) != self._variants(endpoint.config):
            message = "The variants of the new endpoint configuration must have the same names as those of the old one"
            raise refused("UpdateEndpoint", "ValidationException", message)
        rollback = (DeploymentConfig or {}).get("AutoRollbackConfiguration", {})
        endpoint.status, endpoint.modified, endpoint.reason = "Updating", self._world.clock.now, None
        endpoint.last_config = DeploymentConfig
        self._begin(endpoint, EndpointConfigName, endpoint.config, [a["AlarmName"] for a in rollback.get("Alarms", [])])
        return {"EndpointArn": arn("sagemaker", f"endpoint/{EndpointName}")}

    def _variants(self, config):
        """The names of the variants of a configuration, as DescribeEndpoint has them."""
        request = self.configs.get(config, {"ProductionVariants": [{"VariantName": "AllTraffic"}]})
        kinds = ("ProductionVariants", "ShadowProductionVariants")
        return {
            kind: [{"VariantName": each["VariantName"]} for each in request[kind]] for kind in kinds if kind in request
        }

    def _begin(self, endpoint, config, previous, alarms):
        self._world.tell(f"  … {'updates' if previous else 'creates'} the endpoint to {config}")
        deployment = Deployment(
            config, previous, self._world.clock.now, alarms, self._world.actor, self._world.repeats, self._world.invoked
        )
        endpoint.deployment = deployment
        self.deployments.append(deployment)
        self._emit(endpoint, endpoint.config)

    def delete_endpoint(self, EndpointName):
        endpoint = self._get("DeleteEndpoint", self.endpoints, EndpointName, "endpoint")
        if endpoint.status not in DELETABLE:
            raise refused("DeleteEndpoint", "ValidationException", "Cannot delete in-progress endpoint.")
        self._world.tell(f"  … {self._world.actor} deletes the endpoint")
        self.deleted.append((self._world.clock.now, self._world.actor, endpoint.config))
        self._change(endpoint, "Deleting")
        return {}

    def describe_endpoint(self, EndpointName):
        endpoint = self._get("DescribeEndpoint", self.endpoints, EndpointName, "endpoint")
        answer = {
            "EndpointName": endpoint.name,
            "EndpointArn": arn("sagemaker", f"endpoint/{endpoint.name}"),
            "EndpointConfigName": endpoint.config,
            "EndpointStatus": endpoint.status,
            "CreationTime": endpoint.created,
            "LastModifiedTime": endpoint.modified,
            **self._variants(endpoint.config),
        }
        if endpoint.last_config:
            answer["LastDeploymentConfig"] = endpoint.last_config
        if endpoint.reason:
            answer["FailureReason"] = endpoint.reason
        if deployment := endpoint.deployment:
            answer["PendingDeploymentSummary"] = {
                "EndpointConfigName": deployment.config,
                "StartTime": deployment.started,
            }
        return answer

    def invoke_endpoint(self, EndpointName, **_):
        endpoint = self._get("InvokeEndpoint", self.endpoints, EndpointName, "endpoint")
        model = self.models[self.configs[endpoint.config]["ProductionVariants"][0]["ModelName"]]
        if not self.answers(model["PrimaryContainer"]["ModelPackageName"]):
            raise refused("InvokeEndpoint", "ModelError", "Received server error (500) from AllTraffic", 424)
        return {"Body": io.BytesIO(b'{"predictions": [0.5]}')}

    def list_tags(self, ResourceArn, **_):
        return {"Tags": list(self._tags("ListTags", ResourceArn))}

    def add_tags(self, ResourceArn, Tags):
        tags = self._tags("AddTags", ResourceArn)
        new = {tag["Key"]: tag["Value"] for tag in tags} | {tag["Key"]: tag["Value"] for tag in Tags}
        tags[:] = [{"Key": key, "Value": value} for key, value in new.items()]
        return {"Tags": list(tags)}

    def _tags(self, operation, resource_arn):
        """The tags of an endpoint, endpoint configuration or model package group, to read or to change."""
        kind, _, name = resource_arn.rpartition(":")[2].partition("/")
        if kind == "model-package-group":
            return self.group_tags.setdefault(name, [])
        if kind == "endpoint":
            return self._get(operation, self.endpoints, name, "endpoint").tags
        return self._get(operation, self.configs, name, "endpoint configuration").setdefault("Tags", [])

    def _create(self, operation, collection, name, request, kind):
        if name in collection:
            where = arn("sagemaker", f"{kind}/{name}")
            raise refused(operation, "ValidationException", f'Cannot create already existing {kind} "{where}".')
        collection[name] = request | {"CreationTime": self._world.clock.now}

    def _get(self, operation, collection, name, kind):
        if name not in collection:
            raise refused(operation, "ValidationException", f'Could not find {kind} "{arn("sagemaker", name)}".')
        return collection[name]


def version_of(hosting, config):
    """Number of the version that an endpoint configuration serves; None when it is gone."""
    request = hosting.configs.get(config)
    return _version_in(hosting, request["ProductionVariants"][0]) if request else None


def challenger_of(hosting, config):
    """Number of the version on trial in an endpoint configuration; None without one."""
    request = hosting.configs.get(config, {"ProductionVariants": []})
    others = [*request["ProductionVariants"][1:], *request.get("ShadowProductionVariants", [])]
    return _version_in(hosting, others[0]) if others else None


def _version_in(hosting, variant):
    model = hosting.models.get(variant["ModelName"])
    return int(model["PrimaryContainer"]["ModelPackageName"].rpartition("/")[2]) if model else None
