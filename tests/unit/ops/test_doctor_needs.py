"""The needs of tuning jobs, which run several training jobs at the same time."""

import json

from model_factory.ops.doctor.assembly import Stack
from model_factory.ops.doctor.needs import Instances, needs_of

PARAMETER = "/cdk-bootstrap/hnb659fds/version"


def test_parallel_trials_need_an_instance_each():
    trial = {
        "EnableManagedSpotTraining": True,
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    limits = {"MaxNumberOfTrainingJobs": 20, "MaxParallelTrainingJobs": 4}
    arguments = {"HyperParameterTuningJobConfig": {"ResourceLimits": limits}, "TrainingJobDefinition": trial}
    definition = json.dumps({"Steps": [{"Name": "Tune", "Type": "Tuning", "Arguments": arguments}]})
    pipeline = {"Type": "AWS::SageMaker::Pipeline", "Properties": {"PipelineDefinition": {}}}
    pipeline["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"] = definition
    stack = Stack("acme-dev-churn", {"Resources": {"Pipeline": pipeline}}, 6, PARAMETER, "")
    assert needs_of([stack], {}).instances == [Instances("spot training job", "ml.m5.large", 4, 4)]
