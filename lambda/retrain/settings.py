"""The part of a model's settings parameter that the retrain function needs."""

from decision import Guards
from pydantic import BaseModel


class Settings(BaseModel):
    """A model's pipeline, data and guards. `promoted_from`: the environment that its versions are promoted from, if any."""

    training_pipeline: str
    promoted_from: str | None = None
    raw_uri: str
    retrain: Guards
