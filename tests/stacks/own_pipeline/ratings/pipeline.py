"""A pipeline with steps of every type. It writes its definition itself, since importing the SageMaker SDK takes seconds."""

import json

import boto3

IMAGE = "{registry}.dkr.ecr.{region}.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
REGISTRIES = {"eu-central-1": "492215442770", "eu-west-1": "141502667606"}
INSTANCE = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
PUBLIC = "s3://sagemaker-sample-files/datasets/tabular/"


class Pipeline:
    """As the SDK's own, as far as a synth needs it."""

    def __init__(self, region, role, bucket, group):
        self.region, self.role, self.bucket, self.group = region, role, bucket, group
        self.image = IMAGE.format(registry=REGISTRIES[region], region=region)

    def definition(self):
        """The definition, after the upload of the script."""
        s3 = boto3.client("s3", region_name=self.region)
        s3.put_object(Bucket=self.bucket, Key="ratings/prepare.py", Body=b"print('prepared')")
        ask = {
            "Name": "Ask",
            "Type": "Callback",
            "SqsQueueUrl": f"https://sqs.{self.region}.amazonaws.com/111111111111/ask",
        }
        function = f"arn:aws:lambda:{self.region}:111111111111:function:tell"
        tell = {"Name": "Tell", "Type": "Lambda", "FunctionArn": function}
        model = {"PrimaryContainer": {"Image": self.image}, "ExecutionRoleArn": self.role}
        steps = [
            step("Prepare", "Processing", self.prepare()) | {"PropertyFiles": [report()]},
            step("Tune", "Tuning", self.tune()),
            step("Train", "Training", self.train()),
            step("Model", "Model", model),
            step("Score", "Transform", self.score()),
            {**ask, "Arguments": {"n": "1"}, "OutputParameters": []},
            {**tell, "Arguments": {"n": "1"}, "OutputParameters": []},
            step("Gate", "Condition", {"Conditions": [condition()], "IfSteps": [self.register()], "ElseSteps": [FAIL]}),
        ]
        raw = {"Name": "Raw", "Type": "String", "DefaultValue": PUBLIC}
        return json.dumps({"Version": "2020-12-01", "Parameters": [raw], "Steps": steps})

    def prepare(self):
        """Read the raw data, and other data that somebody else keeps."""
        code = f"s3://{self.bucket}/ratings/prepare.py"
        command = ["python3", "/opt/ml/processing/code/prepare.py"]
        return {
            "RoleArn": self.role,
            "AppSpecification": {"ImageUri": self.image, "ContainerEntrypoint": command},
            "ProcessingResources": {"ClusterConfig": INSTANCE},
            "ProcessingInputs": [read("code", code), read("raw", {"Get": "Parameters.Raw"}), read("public", PUBLIC)],
            "ProcessingOutputConfig": {"Outputs": [write("data", f"s3://{self.bucket}/ratings/data")]},
        }

    def train(self):
        """Train on what was prepared."""
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/ratings/data"}
        return {
            "RoleArn": self.role,
            "AlgorithmSpecification": {"TrainingImage": self.image, "TrainingInputMode": "File"},
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/ratings/models"},
            "ResourceConfig": INSTANCE,
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        }

    def tune(self):
        """Try two values of one hyperparameter."""
        train = self.train()
        train["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "rmse", "Regex": "rmse=(.*);"}]
        return {
            "HyperParameterTuningJobConfig": {
                "Strategy": "Grid",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "rmse"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
                "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "depth", "Values": ["2", "4"]}]},
            },
            "TrainingJobDefinition": train,
        }

    def score(self):
        """Score what was prepared."""
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/ratings/data"}
        return {
            "ModelName": {"Get": "Steps.Model.ModelName"},
            "TransformInput": {"DataSource": {"S3DataSource": source}},
            "TransformOutput": {"S3OutputPath": f"s3://{self.bucket}/ratings/scores"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        }

    def register(self):
        """Register the trained model."""
        data = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
        inference = {
            "Containers": [{"Image": self.image, "ModelDataUrl": data}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
        return step(
            "Register", "RegisterModel", {"ModelPackageGroupName": self.group, "InferenceSpecification": inference}
        )


FAIL = {"Name": "Reject", "Type": "Fail", "Arguments": {"ErrorMessage": "too many errors"}}


def step(name, kind, arguments):
    """A step."""
    return {"Name": name, "Type": kind, "Arguments": arguments}


def read(name, uri):
    """An input of a processing job."""
    where = {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/{name}", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": where}


def write(name, uri):
    """An output of a processing job."""
    where = {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/{name}", "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "S3Output": where}


def report():
    """The file that the condition reads."""
    return {"PropertyFileName": "Report", "OutputName": "data", "FilePath": "report.json"}


def condition():
    """Few errors."""
    errors = {"PropertyFile": {"Get": "Steps.Prepare.PropertyFiles.Report"}, "Path": "errors"}
    return {"Type": "LessThanOrEqualTo", "LeftValue": {"Std:JsonGet": errors}, "RightValue": 3}


def get_pipeline(region, role, default_bucket, model_package_group_name):
    """The pipeline; the arguments are those of AWS's templates."""
    return Pipeline(region, role, default_bucket, model_package_group_name)
