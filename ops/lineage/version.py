"""A version and what it was made from: artifact, approval, promotion, training, data; across accounts where it was promoted."""

from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.approvals import status_set_by

from ..operations.executions import is_missing
from ..operations.versions import gate_metric
from ..project import EnvironmentSession, Project
from . import objects
from .links import Link, known
from .training import execution


def version(session: EnvironmentSession, model: str, number: int) -> Link:
    """Lineage of a version in one environment. The calls are as many whatever versions there are besides. Raises ClientError."""
    group = session.names.model(model).model_package_group
    return package(session, model, session.names.arn("sagemaker", f"model-package/{group}/{number}"))


def package(session: EnvironmentSession, model: str, arn: str) -> Link:
    """Lineage of the version with this ARN in the environment of `session`."""
    number = arn.rpartition("/")[2]
    link = Link("version", f"{model} v{number} in {session.environment.name}", arn)
    try:
        described = session.client("sagemaker").describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if not is_missing(error):
            raise
        link.problem = "the registry has no such version any more"
        return link
    metadata: dict[str, str] = described.get("CustomerMetadataProperties", {})
    link.facts = known(
        registered=described["CreationTime"],
        metric=gate_metric(metadata),
        trigger=metadata.get("trigger"),
        why=described.get("ModelPackageDescription"),
        seed=metadata.get("seed"),
    )
    container = described["InferenceSpecification"]["Containers"][0]
    s3 = session.client("s3")
    link.below = [
        objects.artifact(s3, container["ModelDataUrl"], metadata.get("artifact_digest")),
        Link("image", container["Image"], "", known(digest=container.get("ImageDigest"))),
        _approval(described),
    ]
    if origin := metadata.get("origin"):
        link.below.append(_origin(session.project, model, origin))
        return link
    link.below.append(execution(session.client("sagemaker"), metadata.get("pipeline_execution", ""), metadata))
    link.below.append(objects.data(s3, metadata.get("data_manifest", ""), metadata.get("data_digest", "")))
    return link


def _approval(described: dict[str, Any]) -> Link:
    status = described["ModelApprovalStatus"]
    facts = known(by=status_set_by(described), reason=described.get("ApprovalDescription"))
    return Link("approval", status, "", facts)


def _origin(project: Project, model: str, arn: str) -> Link:
    """The version that this one was promoted from, in the account of its environment."""
    for environment in project.factory.environments:
        names = project.factory.names(environment)
        group = names.model(model).model_package_group
        if arn.startswith(names.arn("sagemaker", f"model-package/{group}/")):
            return package(project.environment(environment.name), model, arn)
    link = Link("version", arn.rpartition("model-package/")[2], arn)
    link.problem = "the version was promoted from an environment that factory.yaml does not have"
    return link
