"""Pipeline actions between deployments: they invoke the delivery function with a task and an environment."""

import json
from typing import Any, cast

import jsii
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import pipelines

EXECUTION = "#{codepipeline.PipelineExecutionId}"


@jsii.implements(pipelines.ICodePipelineActionFactory)
class FunctionStep(pipelines.Step):
    """A pipeline action that invokes the delivery function with a task (retrain, release, smoke or report)."""

    def __init__(
        self,
        task: str,
        environment: str,
        *,
        function: lambda_.IFunction,
        assembly: pipelines.FileSet | None = None,
    ) -> None:
        super().__init__(f"{task.capitalize()}-{environment}")
        self._task, self._environment, self._function, self._assembly = task, environment, function, assembly
        if assembly:
            self.add_step_dependency(assembly.producer)

    @property
    def namespace(self) -> str:
        """Namespace of the action's output variables: `#{<namespace>.<variable>}`."""
        return f"{self._task}-{self._environment}"

    @jsii.member(jsii_name="produceAction")
    def produce_action(
        self, stage: codepipeline.IStage, *, artifacts: pipelines.ArtifactMap, run_order: Any, **options: Any
    ) -> pipelines.CodePipelineActionFactoryResult:
        """Called by CDK Pipelines when it builds the pipeline."""
        parameters = {"task": self._task, "environment": self._environment, "execution": EXECUTION}
        stage.add_action(
            cast(
                codepipeline.IAction,
                actions.LambdaInvokeAction(
                    action_name=options.get("action_name") or self.id,
                    lambda_=self._function,
                    user_parameters_string=json.dumps(parameters),
                    inputs=[artifacts.to_code_pipeline(self._assembly)] if self._assembly else None,
                    variables_namespace=self.namespace,
                    run_order=run_order,
                ),
            )
        )
        return pipelines.CodePipelineActionFactoryResult(run_orders_consumed=1)
