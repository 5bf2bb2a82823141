"""The pipeline that scores files, and what starts it: new files, a schedule, or `model-factory score`."""

import json
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from ..core.bucket_statements import list_objects, read_object_versions, read_objects, write_objects
from ..core.permissions import put_metrics
from ..definition import Execution, Parameter, PipelineDefinition, ProcessingStep
from .jobs import RETRY_JOB, job_environment, job_statements, pipeline_statements, processing_arguments
from .metrics import model_metric
from .model_registry import read_versions
from .pipeline import SageMakerPipeline
from .props import ModelProps
from .retrain_trigger import model_target
from .schedules import model_schedule, start_pipeline

INBOX, REQUESTS = "scoring/", "scoring-requests/"
"""Folders of a model in the data bucket: files that are scored when they land, and those of `model-factory score`."""
DATA = Parameter("Data", "")
VERSION = Parameter("Version", "")


class ScoringPipeline(SageMakerPipeline):
    """The SageMaker pipeline `<prefix>-score`, its role and the role of its job.

    With `serving.mode: batch`, a rule sends new files below `<model>/scoring/` to the score queue, and a schedule starts the
    pipeline itself. A function has to consume the queue; the factory's is lambda/score.

    Attributes:
        pipeline: The CloudFormation resource.
        role: Role of the pipeline.
        job_role: Role of the job.

    Args:
        scope: Parent construct.
        construct_id: Id of this construct in `scope`.
        props: The model. Needs `data_bucket` and `artifacts_bucket`, and for a batch model that is scored with new data
            `score_queue`; uses `key`, `vpc`, `scheduler_role` and `undelivered_queue`.

    Raises:
        ValueError: A bucket or the queue is missing.
        DefinitionError: SageMaker would reject the definition.
        ImageError: The image is not in Amazon ECR.
    """

    def __init__(self, scope: Construct, construct_id: str, props: ModelProps) -> None:
        super().__init__(scope, construct_id, pipeline_name=props.names.scoring_pipeline)
        props.require(self, "data_bucket", "artifacts_bucket")
        self._names = props.names
        self.job_role = self._job_role(
            props,
            "score",
            "scoring",
            _job_role_statements(props),
            open_resources="Objects below the prefixes of the model; a condition limits metrics to their namespace.",
        )
        self.role = self._pipeline_role(
            props,
            "score",
            "scoring",
            pipeline_statements(props, ["Processing"], self.job_role.role_arn),
            open_resources="SageMaker generates the names of a pipeline's jobs.",
        )
        definition = scoring_definition(props, self.job_role.role_arn)
        self.pipeline = self._create(definition.render(), self.role, f"Scores files with {props.config.name}")
        serving = props.config.serving
        if serving.mode == "batch" and serving.batch.on_data:
            self._rules(props)
        if serving.mode == "batch" and serving.batch.schedule:
            self._schedule(props, serving.batch.schedule, serving.batch.timezone)

    def metric_rows_scored(self, **options: Any) -> cloudwatch.Metric:
        """Number of rows that a run scored.

        Args:
            options: Properties of `cloudwatch.MetricOptions`. Default: Sum over 5 minutes.
        """
        return model_metric(self._names, "RowsScored", **{"statistic": "Sum", **options})

    def _rules(self, props: ModelProps) -> None:
        """Messages without anything of the event, so that those of a burst are equal and SQS keeps one."""
        props.require(self, "score_queue")
        names = props.names
        new: dict[str, Any] = {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [props.bucket("data").bucket_name]},
                "object": {"key": [{"prefix": f"{props.config.name}/{INBOX}"}]},
            },
        }
        ended: dict[str, Any] = {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
            "detail": {
                "pipelineArn": [props.environment_names.arn("sagemaker", f"pipeline/{names.scoring_pipeline}")],
                "currentPipelineExecutionStatus": ["Succeeded", "Failed", "Stopped"],
            },
        }
        for construct_id, what, pattern, text in (
            ("DataRule", "data", new, "Requests that new files are scored"),
            ("EndedRule", "ended", ended, "Reports the end of a run, which another one may have to follow"),
        ):
            message = json.dumps({"model": props.config.name, "event": what})
            events.CfnRule(
                self,
                construct_id,
                name=names.rule(f"scoring-{what}"),
                description=f"{text}: {props.config.name}",
                event_pattern=pattern,
                targets=[model_target(props, "Score", props.score_queue, message)],
            )

    def _schedule(self, props: ModelProps, expression: str, timezone: str) -> None:
        schedule = model_schedule(
            self,
            props,
            "score",
            start_pipeline(self, props, {"PipelineExecutionDisplayName": "schedule"}),
            expression=expression,
            timezone=timezone,
            description=f"Starts the scoring pipeline of {props.config.name}",
            window={"mode": "OFF"},
            retries={"maximumRetryAttempts": 10, "maximumEventAgeInSeconds": 3600},
        )
        schedule.node.add_dependency(self.pipeline)


def scoring_definition(props: ModelProps, job_role_arn: str) -> PipelineDefinition:
    """Definition of the scoring pipeline: one step. Its job finds out itself which objects are new, so they are no input.

    Args:
        props: The model.
        job_role_arn: ARN of the role of its job.

    Raises:
        DefinitionError: SageMaker would reject the definition.
    """
    environment = job_environment(
        props,
        ARTIFACTS_URI=props.uri("artifacts"),
        PIPELINE_EXECUTION_ARN=Execution.ARN,
        SCORING_DATA=DATA,
        SCORING_VERSION=VERSION,
    )
    score = ProcessingStep(
        "Score",
        processing_arguments(
            props,
            "score",
            instance=props.config.serving.batch.instance,
            role_arn=job_role_arn,
            environment=environment,
            inputs={},
            outputs={},
        ),
        display_name="Score",
        description="Predictions of all files that have none yet",
        retry_policies=RETRY_JOB,
    )
    return PipelineDefinition([score], [DATA, VERSION])


def _job_role_statements(props: ModelProps) -> list[iam.PolicyStatement]:
    model = props.config.name
    data, artifacts = props.bucket("data").bucket_arn, props.bucket("artifacts").bucket_arn
    return [
        *job_statements(props),
        *(each for folder in (INBOX, REQUESTS) for each in read_object_versions(data, f"{model}/{folder}")),
        list_objects(data, f"{model}/predictions/"),
        read_objects(data, f"{model}/predictions/"),
        write_objects(data, f"{model}/predictions/"),
        write_objects(data, f"{model}/captured/"),
        read_objects(artifacts, f"{model}/executions/"),
        write_objects(artifacts, f"{model}/scoring/"),
        read_versions(props),
        put_metrics(),
    ]
