"""The pipeline of a model's own pipeline.py, in place of the standard training pipeline."""

import os
from pathlib import Path
from typing import cast

from aws_cdk import FileAssetPackaging, Stack, Stage
from constructs import Construct

from ..own_pipeline.synthesis import Synthesized
from .own_definition import deployed_definition
from .own_permissions import job_role_statements, pipeline_role_statements
from .pipeline import SageMakerPipeline
from .props import ModelProps


class OwnTrainingPipeline(SageMakerPipeline):
    """The SageMaker pipeline `<prefix>-train` with the definition of pipeline.py, its role and the role of its jobs.

    Attributes:
        pipeline: The CloudFormation resource.
        role: Role of the pipeline.
        job_role: Role of the jobs; `get_pipeline` gets it as `role`.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        props: The model. Needs `data_bucket` and `artifacts_bucket`; uses `key`, `vpc` and `approval`.
        own: The pipeline (`model_factory.own_pipeline.synthesis.synthesize`).

    Raises:
        ValueError: A bucket is missing.
        ImageError: An image is not in Amazon ECR.
    """

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps, own: Synthesized) -> None:
        super().__init__(scope, construct_id, pipeline_name=props.names.training_pipeline)
        props.require(self, "data_bucket", "artifacts_bucket")
        bucket, folder = self._upload(own, props)
        self.job_role = self._job_role(
            props,
            "train",
            "training",
            job_role_statements(own, props, bucket, folder),
            open_resources="Objects below the prefixes of the model and those that its pipeline.py names.",
        )
        definition = deployed_definition(own, props, self.job_role.role_arn, f"s3://{bucket}/{folder}")
        self.role = self._pipeline_role(
            props,
            "train",
            "training",
            pipeline_role_statements(definition, props, self.job_role.role_arn),
            open_resources="SageMaker generates the names of a pipeline's jobs, models and versions.",
        )
        description = f"Trains and registers {props.config.name} with its own pipeline.py"
        self.pipeline = self._create(definition, self.role, description)

    def _upload(self, own: Synthesized, props: ModelProps) -> tuple[str, str]:
        """Make each file of the code an asset; bucket and key of their folder.

        Containers see the names of files, so an object's key ends with the name, where CDK's own Asset has a digest alone.
        CDK adds the extension of the local file to the key, so the local file has none.
        """
        stack, name_of_folder = Stack.of(self), f"{props.config.name}-{own.code.digest}"
        outdir = cast(Stage, Stage.of(self)).outdir
        local, folder = Path(props.code.path).parent / name_of_folder, name_of_folder
        local.mkdir(parents=True, exist_ok=True)
        for index, (name, content) in enumerate(sorted(own.code.files.items())):
            file = local / str(index)
            file.write_bytes(content)
            location = stack.synthesizer.add_file_asset(
                source_hash=f"{name_of_folder}/{name}",
                file_name=os.path.relpath(file, outdir),
                packaging=FileAssetPackaging.FILE,
            )
            folder = location.object_key.removesuffix(f"/{name}")
        return props.code_bucket, folder
