"""The roles under which versions are trained again, and what `model-factory reproduce` needs to know of the environment.

They belong to the environment, so that they exist when a model's stack does not. Neither may create a model package, a model
or an endpoint: whatever runs with them, nothing is registered and nothing goes live.
"""

from collections.abc import Sequence
from contextlib import suppress

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from ..core.bucket_statements import list_objects, read_objects, write_objects
from ..core.image import ImageError, default_image_uri, repository
from ..core.names import REBUILDS, EnvironmentNames
from ..core.network import VpcConfig, job_interfaces
from ..core.permissions import (
    allow,
    encrypt_output,
    encrypt_volumes,
    pass_role,
    pull_images,
    service_role,
    use_key,
    write_logs,
)

PIPELINE, JOBS = "rebuild", "rebuild-job"
_OPEN = "Files of every model below evidence/, rebuilds/ and raw/; SageMaker generates the names of a pipeline's jobs."


class Rebuild(Construct):
    """The roles `<prefix>-rebuild` and `<prefix>-rebuild-job`, and the parameter `/<factory>/<env>/rebuild`.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        names: Names of the environment.
        key_arn: ARN of the environment's key.
        vpc: Subnets and security groups of jobs. Default: None, outside of a VPC.
        images: Images of the models' jobs that are not the default one. Default: none.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: EnvironmentNames,
        key_arn: str,
        vpc: VpcConfig | None = None,
        images: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self.job_role: iam.Role = service_role(
            self,
            "JobRole",
            names=names,
            name=names.role(JOBS),
            service="sagemaker",
            description=f"Jobs that train versions of {names.environment} again",
            statements=_job_statements(names, key_arn, vpc, images),
            open_resources=_OPEN,
        )
        """Role of the jobs."""
        self.role: iam.Role = service_role(
            self,
            "Role",
            names=names,
            name=names.role(PIPELINE),
            service="sagemaker",
            description=f"Pipelines that train versions of {names.environment} again",
            statements=_pipeline_statements(names, self.job_role.role_arn),
            open_resources=_OPEN,
        )
        """Role of the pipelines."""
        ssm.CfnParameter(
            self,
            "Parameter",
            name=names.rebuild_parameter,
            description=f"What model-factory reproduce needs to know of {names.environment}",
            type="String",
            value=Stack.of(self).to_json_string(
                {
                    "role_arn": self.role.role_arn,
                    "job_role_arn": self.job_role.role_arn,
                    "kms_key_arn": key_arn,
                    **({"vpc_config": vpc.vpc_config} if vpc else {}),
                }
            ),
        )


def _job_statements(
    names: EnvironmentNames, key_arn: str, vpc: VpcConfig | None, images: Sequence[str]
) -> list[iam.PolicyStatement]:
    data, artifacts, records = map(names.bucket_arn, ("data", "artifacts", "records"))
    return [
        # Exactly the versions that a manifest names: no permission to list any.
        allow(["s3:GetObjectVersion"], [f"{data}/*/raw/*"]),
        read_objects(records, "*/evidence/"),
        list_objects(artifacts, REBUILDS),
        read_objects(artifacts, REBUILDS),
        write_objects(artifacts, REBUILDS),
        use_key(key_arn),
        encrypt_output(key_arn),
        encrypt_volumes(key_arn),
        *_pull(names, images),
        write_logs(names, "/aws/sagemaker/*"),
        *job_interfaces(names, vpc),
    ]


def _pull(names: EnvironmentNames, images: Sequence[str]) -> list[iam.PolicyStatement]:
    """Pull the default image and these. An image that does not exist is a mistake of its model, whose stack reports it."""
    known = []
    for image in (None, *images):
        with suppress(ImageError):
            uri = image or default_image_uri(names.region)
            repository(uri)
            known.append(uri)
    return pull_images(names, known) if known else []


def _pipeline_statements(names: EnvironmentNames, job_role_arn: str) -> list[iam.PolicyStatement]:
    kinds = ("Processing", "Training")
    actions = [f"sagemaker:{verb}{kind}Job" for kind in kinds for verb in ("Create", "Describe", "Stop")]
    # SageMaker generates the names of a pipeline's jobs: pipelines-<execution id>-<step>-<random>.
    jobs = [names.arn("sagemaker", f"{kind.lower()}-job/pipelines-*") for kind in kinds]
    return [allow([*actions, "sagemaker:AddTags"], jobs), pass_role(job_role_arn)]
