"""Events and metrics of an execution of a pipeline and of its steps."""

from ...json_api import Record, now
from ..service import Service
from ..state import State

METRICS = "AWS/Sagemaker/ModelBuildingPipeline"


class ExecutionEvents:
    """What an execution tells EventBridge and CloudWatch; `record` is what Describe answers."""

    record: Record
    _service: Service
    _state: State

    def count(self, metric: str, value: float, unit: str = "Count") -> None:
        """Publish a metric of the pipeline."""
        dimensions = [{"Name": "PipelineName", "Value": self.record["PipelineName"]}]
        datum = {"MetricName": metric, "Dimensions": dimensions, "Value": value, "Unit": unit}
        self._service.count(self._state, METRICS, [datum])

    def emit_status(self, status: str) -> None:
        """Emit the event of a new status of the execution."""
        detail = {
            "pipelineExecutionDescription": self.record.get("PipelineExecutionDescription", ""),
            "pipelineExecutionDisplayName": self.record.get("PipelineExecutionDisplayName", ""),
            "currentPipelineExecutionStatus": status,
            "previousPipelineExecutionStatus": None if status == "Executing" else "Executing",
            "executionStartTime": self.record["StartTime"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "executionEndTime": None if status == "Executing" else now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "pipelineArn": self.record["PipelineArn"],
            "pipelineExecutionArn": self.record["PipelineExecutionArn"],
        }
        arn = self.record["PipelineArn"]
        self._service.emit(self._state, "Model Building Pipeline Execution Status Change", detail, arn)

    def emit_step_status(self, record: Record, kind: str) -> None:
        """Emit the event of a new status of a step of the type `kind`."""
        status = record["StepStatus"]
        detail = {
            "metadata": {k[0].lower() + k[1:]: v for k, v in record.get("Metadata", {}).items()},
            "stepStartTime": record["StartTime"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "stepEndTime": record["EndTime"].strftime("%Y-%m-%dT%H:%M:%SZ") if "EndTime" in record else None,
            "stepName": record["StepName"],
            "stepType": kind,
            "previousStepStatus": None if status == "Executing" else "Executing",
            "currentStepStatus": status,
            "failureReason": record.get("FailureReason", ""),
            "pipelineArn": self.record["PipelineArn"],
            "pipelineExecutionArn": self.record["PipelineExecutionArn"],
        }
        arn = self.record["PipelineArn"]
        self._service.emit(self._state, "Model Building Pipeline Execution Step Status Change", detail, arn)
