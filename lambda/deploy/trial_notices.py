"""The alerts about trials of a new version. Pure: no AWS here."""

from notices import command
from settings import Settings
from shared.alerts import Alert
from trial_choice import Verdict


def ended(settings: Settings, challenger: int, live: int, verdict: Verdict) -> Alert:
    """A trial has ended with a verdict."""
    promoted = verdict.result == "promoted"
    done = (
        f"Version {challenger} replaces version {live} by a deployment with the rollback alarms."
        if promoted
        else f"Version {challenger} is rejected and removed from the endpoint; version {live} answers all requests."
    )
    return Alert(
        model=settings.model,
        cause="challenger-promoted" if promoted else "challenger-withdrawn",
        what=f"The trial of version {challenger} of {settings.model} against version {live} has ended: it is {verdict.result}.",
        why=verdict.reason,
        done=done,
        command=command("status", settings.model),
        version=challenger,
    )


def not_begun(settings: Settings, challenger: int, live: int, reason: str) -> Alert:
    """SageMaker could not start the challenger."""
    return Alert(
        model=settings.model,
        cause="trial-failed",
        what=f"The trial of version {challenger} of {settings.model} could not begin.",
        why=reason,
        done=f"The endpoint {settings.endpoint} serves version {live} as before.",
        command=command("redeploy", settings.model),
        version=challenger,
    )
