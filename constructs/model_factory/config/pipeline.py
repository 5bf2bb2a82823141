"""The section `pipeline` of model.yaml: a pipeline that the model already has, in place of the standard one."""

from typing import Any

from pydantic import Field, field_validator

from .fields import Section

PLACES = ("{raw_uri}", "{data_uri}", "{artifacts_uri}", "{environment}")
"""What values of `parameters` may name; the environment's own stand for them."""


class OwnPipeline(Section):
    """The pipeline that `get_pipeline` in pipeline.py returns (docs/how-to/bring-your-own-pipeline.md)."""

    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="Further arguments of `get_pipeline`. Model Factory gives region, role, default_bucket, "
        "model_package_group_name, pipeline_name and base_job_prefix.",
    )
    parameters: dict[str, bool | int | float | str] = Field(
        default_factory=dict,
        description="Values of the pipeline's parameters in place of their defaults. `{raw_uri}`, `{data_uri}`, "
        "`{artifacts_uri}` and `{environment}` stand for those of the environment.",
    )

    @field_validator("arguments")
    @classmethod
    def _arguments_are_json(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name in values:
            if not name.isidentifier():
                raise ValueError(f"{name!r} is no name of a parameter of get_pipeline")
        return values


def used_places(pipeline: OwnPipeline | None) -> list[str]:
    """Which of PLACES the parameters in model.yaml name; none without the section `pipeline`."""
    texts = [value for value in pipeline.parameters.values() if isinstance(value, str)] if pipeline else []
    return [place for place in PLACES if any(place in text for text in texts)]
