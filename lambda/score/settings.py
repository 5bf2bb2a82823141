"""The part of a model's settings parameter that the score function needs."""

from pydantic import BaseModel


class Settings(BaseModel):
    """A model's scoring pipeline."""

    scoring_pipeline: str
