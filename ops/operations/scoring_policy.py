"""What `model-factory score` and `model-factory invoke` need in an environment."""

from collections.abc import Iterable

from model_factory.core.names import ASYNC, EnvironmentNames

from .statements import Statement, allow, condition, sagemaker, use_key


def score_statements(names: EnvironmentNames) -> Iterable[Statement]:
    """Copy a file into the data bucket, start the scoring pipeline of a model, and read the predictions."""
    data, pipeline = names.bucket_arn("data"), names.arn("sagemaker", f"pipeline/{names.prefix}-*-score")
    yield allow("ssm", ["GetParameter"], [names.arn("ssm", f"parameter{names.models_parameter_prefix}*")])
    yield allow("sagemaker", ["ListModelPackages", "DescribeModelPackage"], sagemaker(names, "model-package"))
    yield allow("sagemaker", ["StartPipelineExecution"], [pipeline])
    yield allow("sagemaker", ["DescribePipelineExecution", "ListPipelineExecutionSteps"], [f"{pipeline}/execution/*"])
    folders = ["*/scoring-requests/*", "*/predictions/*"]
    yield allow("s3", ["ListBucket"], [data]) | condition("StringLike", "s3:prefix", folders)
    yield allow("s3", ["PutObject"], [f"{data}/*/scoring-requests/*"])
    yield allow("s3", ["GetObject"], [f"{data}/*/predictions/*"])
    yield use_key(names, "s3")


def invoke_statements(names: EnvironmentNames) -> Iterable[Statement]:
    """Send requests to endpoints; those of asynchronous ones and their answers are objects."""
    data = names.bucket_arn("data")
    yield allow("sagemaker", ["InvokeEndpoint", "InvokeEndpointAsync"], sagemaker(names, "endpoint"))
    yield allow("s3", ["PutObject"], [f"{data}/*/{ASYNC}/input/*"])
    yield allow("s3", ["GetObject"], [f"{data}/*/{ASYNC}/output/*", f"{data}/*/{ASYNC}/failure/*"])
    yield allow("s3", ["ListBucket"], [data]) | condition("StringLike", "s3:prefix", [f"*/{ASYNC}/*"])
    yield use_key(names, "s3")
