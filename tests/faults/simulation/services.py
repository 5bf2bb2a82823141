"""The smaller services: S3, Parameter Store, CloudWatch, Application Auto Scaling."""

import hashlib
import json
from datetime import timedelta
from types import SimpleNamespace

from .calls import refused

LIST_SECONDS = 0.2
"""Time of one page of ListObjectsV2 with a thousand objects."""


class S3:
    """Objects by (bucket, key) as (content, time), and counts of further objects below a prefix."""

    def __init__(self, world):
        self._world, self.objects, self.crowds = world, {}, {}

    def put(self, bucket, key, body=b"1"):
        self.objects[bucket, key] = (body, self._world.clock.now)

    def put_object(self, Bucket, Key, Body, IfNoneMatch=None, **_):
        if IfNoneMatch and (Bucket, Key) in self.objects:
            message = "At least one of the pre-conditions you specified did not hold"
            raise refused("PutObject", "PreconditionFailed", message, 412)
        self._world.tell(f"  … writes {Key}")
        self.put(Bucket, Key, Body)
        return {"ETag": '"0"'}

    def get_object(self, Bucket, Key, **_):
        if (Bucket, Key) not in self.objects:
            raise refused("GetObject", "NoSuchKey", "The specified key does not exist.", 404)
        body, time = self.objects[Bucket, Key]
        return {"Body": SimpleNamespace(read=lambda: body), "LastModified": time, "ETag": _etag(body)}

    def head_object(self, Bucket, Key, **_):
        if (Bucket, Key) not in self.objects:
            raise refused("HeadObject", "404", "Not Found", 404)
        body, time = self.objects[Bucket, Key]
        return {"ContentLength": len(body), "LastModified": time, "ETag": _etag(body)}

    def list_objects_v2(self, Bucket, Prefix="", MaxKeys=1000, StartAfter="", ContinuationToken="0", **_):
        crowd = self.crowds.get((Bucket, Prefix), 0)
        if crowd:
            self._world.clock.advance(LIST_SECONDS)
        keys = sorted(
            key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix) and key > StartAfter
        )
        first = int(ContinuationToken)
        old = self._world.began
        listed = min(max(crowd - first, 0), MaxKeys)
        page = [{"Key": f"{Prefix}a/{n:09}", "LastModified": old, "Size": 1} for n in range(first, first + listed)]
        rest = keys if first + listed >= crowd else []
        page += [
            {"Key": key, "LastModified": self.objects[Bucket, key][1].replace(microsecond=0), "Size": 1}
            for key in rest[: MaxKeys - listed]
        ]
        answer = {"KeyCount": len(page), "IsTruncated": first + listed < crowd} | ({"Contents": page} if page else {})
        return answer | ({"NextContinuationToken": str(first + listed)} if answer["IsTruncated"] else {})


def _etag(body):
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


class Ssm:
    """Parameter Store."""

    def __init__(self, world):
        self._world, self.parameters = world, {}

    def put(self, name, value):
        """What CloudFormation does with a changed parameter; EventBridge gets 'Parameter Store Change'."""
        operation = "Update" if name in self.parameters else "Create"
        self.parameters[name] = json.dumps(value)
        detail = {"name": name, "type": "String", "operation": operation}
        self._world.bus.emit("aws.ssm", "Parameter Store Change", detail)

    def get_parameter(self, Name, **_):
        if Name not in self.parameters:
            raise refused("GetParameter", "ParameterNotFound", "")
        return {"Parameter": {"Name": Name, "Value": self.parameters[Name]}}

    def get_parameters_by_path(self, Path, **_):
        found = [
            {"Name": name, "Value": value} for name, value in self.parameters.items() if name.startswith(f"{Path}/")
        ]
        return {"Parameters": found}


class CloudWatch:
    """States of alarms, and the sums of our own metrics as (time, metric, dimensions, value)."""

    def __init__(self, world):
        self._world, self.states, self.data = world, {}, []

    def put_metric_data(self, Namespace, MetricData):
        now = self._world.clock.now
        for datum in MetricData:
            dimensions = {each["Name"]: each["Value"] for each in datum.get("Dimensions", [])}
            self.data.append((now, datum["MetricName"], dimensions, datum["Value"]))
        return {}

    def describe_alarms(self, AlarmNames=(), StateValue=None, AlarmNamePrefix=None, **_):
        known = {name: self.states.get(name, "OK") for name in AlarmNames}
        if AlarmNamePrefix:
            known = {name: state for name, state in self.states.items() if name.startswith(AlarmNamePrefix)}
        found = [(name, state) for name, state in known.items() if StateValue in (None, state)]
        return {"MetricAlarms": [{"AlarmName": name, "StateValue": state} for name, state in found]}

    def delete_alarms(self, AlarmNames):
        """CloudWatch documents ResourceNotFound for it, and not whether an alarm that is gone counts."""
        if not {name for name in AlarmNames if self.states.pop(name, None)}:
            raise refused("DeleteAlarms", "ResourceNotFound", "The named resource does not exist.")
        return {}

    def newest(self, metric, model):
        """Time and value of a metric's newest datum."""
        found = [(time, value) for time, name, of, value in self.data if name == metric and of.get("Model") == model]
        return found[-1] if found else (self._world.began - timedelta(days=1), 0)


class AutoScaling:
    """Scalable targets by resource."""

    def __init__(self, world):
        self._world, self.targets, self.policies = world, {}, {}

    def register_scalable_target(self, ResourceId, **request):
        self.targets[ResourceId] = self.targets.get(ResourceId, {}) | request
        return {}

    def put_scaling_policy(self, ResourceId, PolicyName, **request):
        if ResourceId not in self.targets:
            raise refused("PutScalingPolicy", "ObjectNotFoundException", f"No scalable target registered: {ResourceId}")
        self.policies[ResourceId, PolicyName] = request
        return {"PolicyARN": "arn"}

    def deregister_scalable_target(self, ResourceId, **_):
        if ResourceId not in self.targets:
            message = f"No scalable target found for service namespace: sagemaker, resource ID: {ResourceId}"
            raise refused("DeregisterScalableTarget", "ObjectNotFoundException", message)
        del self.targets[ResourceId]
        self.policies = {key: value for key, value in self.policies.items() if key[0] != ResourceId}
        return {}

    def describe_scalable_targets(self, ResourceIds=(), **_):
        return {"ScalableTargets": [{"ResourceId": name} for name in ResourceIds if name in self.targets]}
