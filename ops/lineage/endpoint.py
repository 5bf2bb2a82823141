"""What an endpoint serves: endpoint, configuration, model, version."""

from botocore.exceptions import ClientError

from model_factory.functions.shared.endpoints import describe_endpoint
from model_factory.functions.shared.errors import is_missing

from ..project import EnvironmentSession
from .links import Link, known
from .version import package


def endpoint(session: EnvironmentSession, model: str) -> Link:
    """Lineage of what the model's endpoint serves in one environment. Raises ClientError."""
    name, sagemaker = session.names.model(model).endpoint, session.client("sagemaker")
    link = Link("endpoint", name, session.names.arn("sagemaker", f"endpoint/{name}"))
    described = describe_endpoint(sagemaker, name)
    if described is None:
        link.problem = f"{session.environment.name} has no endpoint of {model}"
        return link
    link.facts = known(status=described["EndpointStatus"], since=described["LastModifiedTime"])
    configuration = Link("configuration", described["EndpointConfigName"])
    link.below = [configuration]
    try:
        config = sagemaker.describe_endpoint_config(EndpointConfigName=configuration.name)
        variant = config["ProductionVariants"][0]
        configuration.id = config["EndpointConfigArn"]
        configuration.facts = known(instance=variant.get("InstanceType"), variant=variant["VariantName"])
        served = Link("model", variant["ModelName"])
        configuration.below = [served]
        container = sagemaker.describe_model(ModelName=served.name)
    except ClientError as error:
        if not is_missing(error):
            raise
        last = configuration.below[0] if configuration.below else configuration
        last.problem = f"SageMaker has no such {last.kind} any more"
        return link
    served.id = container["ModelArn"]
    arn = container.get("PrimaryContainer", {}).get("ModelPackageName")
    if arn:
        served.below = [package(session, model, arn)]
    else:
        served.problem = "the model was not created from a version of the registry"
    return link
