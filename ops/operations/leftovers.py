"""Models that are deployed in an environment and not in models/: their stack stays until somebody deletes it."""

from dataclasses import dataclass

from model_factory.functions.shared.leftovers import remove_command

from ..project import EnvironmentSession
from .facts import read_settings


@dataclass(frozen=True)
class Leftover:
    """A deployed model that the repository does not have."""

    environment: str
    model: str

    @property
    def command(self) -> str:
        """The command that deletes its stack."""
        return remove_command(self.model, self.environment)

    def __str__(self) -> str:
        return f"{self.environment}/{self.model} is deployed, but there is no models/{self.model}: {self.command}"


def find_leftovers(session: EnvironmentSession) -> list[Leftover]:
    """The models of the environment's settings parameters that are not in models/, by name. Raises ClientError.

    Needs ssm:GetParametersByPath on the parameters.
    """
    left = read_settings(session).keys() - session.project.models
    return [Leftover(session.environment.name, model) for model in sorted(left)]
