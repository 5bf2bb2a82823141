"""The IAM policy for whoever runs commands on the deployed models of an environment."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from model_factory.core.names import ANCHOR, REBUILDS, ROWS, EnvironmentNames

from ..project import UsageError
from .scoring_policy import invoke_statements, score_statements
from .statements import Statement
from .statements import allow as _allow
from .statements import condition as _condition
from .statements import sagemaker as _sagemaker
from .statements import send as _send
from .statements import use_key as _use_key


def policy(names: EnvironmentNames, commands: Sequence[str]) -> dict[str, Any]:
    """A policy document that allows what these commands do, for all models; default: all commands. Raises UsageError."""
    if unknown := [each for each in commands if each not in COMMANDS]:
        raise UsageError(f"there is no policy for {', '.join(unknown)}; there are: {', '.join(COMMANDS)}")
    statements: list[Statement] = []
    for command in commands or COMMANDS:
        statements += [each for each in COMMANDS[command](names) if each not in statements]
    return {"Version": "2012-10-17", "Statement": statements}


def _status(names: EnvironmentNames) -> Iterable[Statement]:
    yield _list_settings(names)
    yield _allow("cloudwatch", ["DescribeAlarms"], [names.arn("cloudwatch", "alarm:*")])
    yield _read_versions(names)
    yield _list_trainings(names)
    yield _allow("sagemaker", ["DescribeEndpoint"], _sagemaker(names, "endpoint"))
    # Only for an endpoint whose configuration lambda/deploy did not name.
    described = ["DescribeEndpointConfig", "DescribeModel"]
    yield _allow("sagemaker", described, _sagemaker(names, "endpoint-config", "model"))
    yield from _read_deployments(names)


def _retrain(names: EnvironmentNames) -> Iterable[Statement]:
    yield _read_settings(names)
    yield _list_trainings(names)
    yield from _send(names, "retrain")


def _redeploy(names: EnvironmentNames) -> Iterable[Statement]:
    yield _read_settings(names)
    yield _read_versions(names)
    yield _allow("sagemaker", ["DescribeEndpoint"], _sagemaker(names, "endpoint"))
    yield from _read_deployments(names)
    yield from _send(names, "deploy")


def _rollback(names: EnvironmentNames) -> Iterable[Statement]:
    yield from _redeploy(names)
    yield from _decide(names)


def _approve(names: EnvironmentNames) -> Iterable[Statement]:
    yield _read_versions(names)
    yield from _read_chain(names)
    yield from _decide(names)


def _reject(names: EnvironmentNames) -> Iterable[Statement]:
    yield from _approve(names)
    yield from _send(names, "deploy")


def _promote(names: EnvironmentNames) -> Iterable[Statement]:
    """Both sides: the environment that gives the version, and the one that receives it."""
    artifacts, records = names.bucket_arn("artifacts"), names.bucket_arn("records")
    yield _read_versions(names)
    for bucket, folder in ((artifacts, "executions"), (records, "evidence")):
        yield _allow("s3", ["ListBucket"], [bucket]) | _condition("StringLike", "s3:prefix", [f"*/{folder}/*"])
        yield _allow("s3", ["GetObject"], [f"{bucket}/*/{folder}/*"])
    yield _allow("s3", ["PutObject"], [f"{artifacts}/*/executions/promoted-*"])
    yield from _send(names, "recorder")
    yield _allow("sagemaker", ["CreateModelPackage"], _sagemaker(names, "model-package"))
    yield _use_key(names, "s3")
    # The definition of the pipeline that made the version, and the zip of its code in the bucket of `cdk bootstrap`.
    execution = names.arn("sagemaker", f"pipeline/{names.prefix}-*/execution/*")
    yield _allow("sagemaker", ["DescribePipelineDefinitionForExecution"], [execution])
    code = f"arn:{names.partition}:s3:::cdk-*-assets-{names.account}-{names.region}"
    yield _allow("s3", ["ListBucket"], [code])
    yield _allow("s3", ["GetObject"], [f"{code}/*.zip"])
    context = _condition("StringLike", "kms:EncryptionContext:aws:s3:arn", [code, f"{code}/*"])
    yield _allow("kms", ["Decrypt"], [names.arn("kms", "key/*")]) | context


def _upload(names: EnvironmentNames) -> Iterable[Statement]:
    data = names.bucket_arn("data")
    yield _allow("s3", ["PutObject"], [f"{data}/*/raw/*", f"{data}/*/ground-truth/*"])
    yield _use_key(names, "s3")


def _audit(names: EnvironmentNames) -> Iterable[Statement]:
    records, key = names.bucket_arn("records"), names.arn("kms", "key/*")
    # Without s3:ListBucket, S3 answers 403 for an object that does not exist.
    yield _allow("s3", ["ListBucket", "ListBucketVersions"], [records])
    yield _allow("s3", ["GetObject", "GetObjectVersion"], [f"{records}/*"])
    yield _use_key(names, "s3")
    yield _allow("kms", ["GetPublicKey"], [key]) | _condition(
        "StringEquals", "kms:RequestAlias", names.record_signing_alias
    )
    # The bucket policy of the anchor limits the account to its own copies.
    anchor = f"arn:{names.partition}:s3:::{names.factory}-{ANCHOR}-heads-*"
    yield _allow("s3", ["ListBucketVersions"], [anchor])
    yield _allow("s3", ["GetObject", "GetObjectVersion"], [f"{anchor}/{names.environment}/*"])


def _lineage(names: EnvironmentNames) -> Iterable[Statement]:
    data, artifacts, records = (names.bucket_arn(each) for each in ("data", "artifacts", "records"))
    yield _list_settings(names)
    yield _read_versions(names)
    described = ["DescribeEndpoint", "DescribeEndpointConfig", "DescribeModel"]
    yield _allow("sagemaker", described, _sagemaker(names, "endpoint", "endpoint-config", "model"))
    execution = ["DescribePipelineExecution", "ListPipelineExecutionSteps", "ListPipelineParametersForExecution"]
    yield _allow("sagemaker", execution, [names.arn("sagemaker", f"pipeline/{names.prefix}-*-train/execution/*")])
    # SageMaker names the jobs of pipelines.
    jobs = ("processing-job/pipelines-*", "training-job/pipelines-*", "hyper-parameter-tuning-job/*")
    described = [f"Describe{kind}Job" for kind in ("Processing", "Training", "HyperParameterTuning")]
    yield _allow("sagemaker", described, [names.arn("sagemaker", each) for each in jobs])
    kept = [f"{records}/*/{kind}/*" for kind in ("chain", "evidence")]
    yield _allow("s3", ["GetObject"], [f"{artifacts}/*/executions/*", f"{data}/*/captured/*", *kept])
    yield _allow("s3", ["GetObjectVersion"], [f"{data}/*/raw/*", f"{records}/*/chain/*"])
    # Without it S3 answers 403 for an object that does not exist.
    yield _allow("s3", ["ListBucket"], [data, artifacts, records])
    yield _allow("s3", ["ListBucketVersions"], [records])
    yield _use_key(names, "s3")


def _explain(names: EnvironmentNames) -> Iterable[Statement]:
    data, artifacts, records = (names.bucket_arn(each) for each in ("data", "artifacts", "records"))
    yield _allow("sagemaker", ["DescribeModelPackage"], _sagemaker(names, "model-package"))
    # Without s3:ListBucket S3 answers 403 for an object that does not exist.
    yield _allow("s3", ["ListBucket"], [data, artifacts, records])
    yield _allow("s3", ["ListBucketVersions"], [records])
    kept = [f"{records}/*/{folder}/*" for folder in ("evidence", "chain")]
    yield _allow("s3", ["GetObject"], [f"{data}/*/captured/*", f"{artifacts}/*", *kept])
    yield _allow("s3", ["GetObjectVersion"], [f"{records}/*/chain/*"])
    yield _use_key(names, "s3")


def _verify(names: EnvironmentNames) -> Iterable[Statement]:
    records = names.bucket_arn("records")
    yield _allow("s3", ["ListBucket", "ListBucketVersions"], [records])
    yield _allow("s3", ["GetObject", "GetObjectVersion"], [f"{records}/*/{kind}/*" for kind in ("chain", "evidence")])
    # The key that the record names; it may be one that has been replaced since.
    yield _allow("kms", ["GetPublicKey"], [names.arn("kms", "key/*")])
    yield _use_key(names, "s3")


def _reproduce(names: EnvironmentNames) -> Iterable[Statement]:
    """Read what was kept of a version, write the pipeline that trains it again, and record the verdict.

    The permissions on `executions` and on the definition are for versions of before evidence was kept. With --local, the jobs
    read the data as the caller.
    """
    artifacts, records = names.bucket_arn("artifacts"), names.bucket_arn("records")
    yield _read_versions(names)
    yield _allow(
        "sagemaker",
        ["DescribeEndpoint", "DescribeEndpointConfig", "DescribeModel"],
        _sagemaker(names, "endpoint", "endpoint-config", "model"),
    )
    yield _allow("sagemaker", ["ListEndpoints"], ["*"])
    # Without s3:ListBucket on the whole bucket, S3 answers 403 for an object that is gone.
    yield _allow("s3", ["ListBucket", "ListBucketVersions"], [records])
    yield _allow("s3", ["ListBucket"], [artifacts])
    kept = [
        f"{records}/*/chain/*",
        f"{records}/*/evidence/*",
        f"{artifacts}/*/executions/*",
        f"{artifacts}/{REBUILDS}*",
        # The zip of its code, in the bucket of `cdk bootstrap`, whose qualifier may be one's own.
        f"arn:{names.partition}:s3:::cdk-*-assets-{names.account}-{names.region}/*.zip",
    ]
    yield _allow("s3", ["GetObject", "GetObjectVersion"], kept)
    yield _allow("s3", ["GetObjectVersion"], [f"{names.bucket_arn('data')}/*/raw/*"])
    yield _allow("s3", ["PutObject"], [f"{artifacts}/{REBUILDS}*"])
    pipelines = f"pipeline/{names.prefix}-*-rebuild"
    actions = ["CreatePipeline", "UpdatePipeline", "StartPipelineExecution"]
    yield _allow("sagemaker", actions, [names.arn("sagemaker", pipelines)])
    executions = [names.arn("sagemaker", f"pipeline/{names.prefix}-*/execution/*")]
    reads = ["DescribePipelineExecution", "ListPipelineExecutionSteps", "DescribePipelineDefinitionForExecution"]
    yield _allow("sagemaker", reads, executions)
    passed = _condition("StringEquals", "iam:PassedToService", "sagemaker.amazonaws.com")
    yield _allow("iam", ["PassRole"], [names.iam_arn(f"role/{names.role('rebuild')}")]) | passed
    yield _allow("ssm", ["GetParameter"], [names.arn("ssm", f"parameter{names.rebuild_parameter}")])
    yield from _send(names, "recorder")
    yield _use_key(names, "s3")


def _diff(names: EnvironmentNames) -> Iterable[Statement]:
    """Read records, evidence and rows, and which version is live. Versions are scored on the caller's machine."""
    artifacts, records = names.bucket_arn("artifacts"), names.bucket_arn("records")
    # Without s3:ListBucket S3 answers 403 for an object that does not exist.
    yield _allow("s3", ["ListBucket"], [artifacts])
    yield _allow("s3", ["ListBucket", "ListBucketVersions"], [records])
    rows = [f"{artifacts}/*/executions/*/prepare/{each}" for each in ("test/*", "baseline/sample.parquet")]
    kept = [f"{records}/*/{kind}/*" for kind in ("chain", "evidence")]
    yield _allow("s3", ["GetObject", "GetObjectVersion"], [*kept, *rows])
    yield _use_key(names, "s3")
    yield _list_settings(names)
    # For `MODEL` and `MODEL@ENV`, and for an endpoint whose configuration lambda/deploy did not name.
    yield _allow("sagemaker", ["ListEndpoints"], ["*"])
    yield _allow("sagemaker", ["DescribeEndpoint", "DescribeEndpointConfig", "DescribeModel"], _live(names))
    yield _allow("sagemaker", ["DescribeModelPackage"], _sagemaker(names, "model-package"))


def _forget(names: EnvironmentNames) -> Iterable[Statement]:
    """Find what was made from an object, delete its versions and rows derived from it, and rewrite captured requests."""
    data, artifacts, records = (names.bucket_arn(each) for each in ("data", "artifacts", "records"))
    yield _list_settings(names)
    yield _allow("sagemaker", ["ListModelPackages"], _sagemaker(names, "model-package"))
    yield _allow("sagemaker", ["DescribeEndpoint"], _sagemaker(names, "endpoint"))
    yield _allow("s3", ["ListBucket", "ListBucketVersions"], [data, artifacts, records])
    yield _allow("s3", ["GetObject", "GetObjectVersion"], [f"{records}/*/chain/*"])
    yield _allow("s3", ["GetObject", "PutObject"], [f"{data}/*/captured/*"])
    rows = [f"{artifacts}/{ROWS}*", f"{artifacts}/*/executions/*/prepare/*"]
    yield _allow("s3", ["DeleteObjectVersion"], [f"{data}/*", *rows])
    yield from _send(names, "recorder")
    yield from _retrain(names)
    yield _use_key(names, "s3")


def _live(names: EnvironmentNames) -> list[str]:
    return _sagemaker(names, "endpoint", "endpoint-config", "model")


def _report(names: EnvironmentNames) -> Iterable[Statement]:
    artifacts = names.bucket_arn("artifacts")
    yield from _status(names)
    yield _allow("s3", ["ListBucket"], [artifacts]) | _condition(
        "StringLike", "s3:prefix", ["*/monitor/*", "*/scoring/*"]
    )
    yield _allow("s3", ["GetObject"], [f"{artifacts}/*/{folder}/*" for folder in ("executions", "monitor", "scoring")])


COMMANDS: dict[str, Callable[[EnvironmentNames], Iterable[Statement]]] = {
    "status": _status,
    "retrain": _retrain,
    "redeploy": _redeploy,
    "rollback": _rollback,
    "approve": _approve,
    "reject": _reject,
    "promote": _promote,
    "invoke": invoke_statements,
    "score": score_statements,
    "reproduce": _reproduce,
    "upload": _upload,
    "audit": _audit,
    "lineage": _lineage,
    "report": _report,
    "explain": _explain,
    "verify": _verify,
    "diff": _diff,
    "forget": _forget,
}


def _decide(names: EnvironmentNames) -> Iterable[Statement]:
    yield from _send(names, "recorder")
    yield _allow("sagemaker", ["UpdateModelPackage"], _sagemaker(names, "model-package"))


def _list_trainings(names: EnvironmentNames) -> Statement:
    return _allow("sagemaker", ["ListPipelineExecutions"], [names.arn("sagemaker", f"pipeline/{names.prefix}-*-train")])


def _list_settings(names: EnvironmentNames) -> Statement:
    parameters = names.arn("ssm", f"parameter{names.models_parameter_prefix.rstrip('/')}")
    return _allow("ssm", ["GetParametersByPath"], [parameters])


def _read_settings(names: EnvironmentNames) -> Statement:
    return _allow("ssm", ["GetParameter"], [names.arn("ssm", f"parameter{names.models_parameter_prefix}*")])


def _read_versions(names: EnvironmentNames) -> Statement:
    return _allow("sagemaker", ["ListModelPackages", "DescribeModelPackage"], _sagemaker(names, "model-package"))


def _read_deployments(names: EnvironmentNames) -> Iterable[Statement]:
    records = names.bucket_arn("records")
    yield _allow("s3", ["ListBucket"], [records]) | _condition("StringLike", "s3:prefix", ["*/index/deployment/*"])
    yield _allow("s3", ["GetObject"], [f"{records}/*/chain/*"])
    yield _use_key(names, "s3")


def _read_chain(names: EnvironmentNames) -> Iterable[Statement]:
    records = names.bucket_arn("records")
    yield _allow("s3", ["ListBucketVersions"], [records]) | _condition("StringLike", "s3:prefix", ["*/chain/*"])
    yield _allow("s3", ["GetObjectVersion"], [f"{records}/*/chain/*"])
    yield _use_key(names, "s3")
