"""A record before it has a number: what a message says happened, and who says so."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from shared.names import factory_and_environment
from shared.settings import PARAMETER_PREFIX


@dataclass(frozen=True)
class By:
    """Who did it.

    Args:
        identity: ARN or name as the service gives it. Default: the service gives none.
        source: The service that gives it: `sqs-sender`, `sagemaker`, `ssm` or `eventbridge`.
        claimed: Who a message says it was. Default: it says nothing.
    """

    identity: str | None
    source: str
    claimed: str | None = None


@dataclass(frozen=True)
class Draft:
    """What happened, once for each `kind` and `id` of a model.

    Args:
        kind: Kind of the record, such as `deployment`.
        id: Id of the event: the same one when the event is sent again.
        time: When it happened, UTC.
        by: Who did it.
        model: The model; empty for the environment.
        version: Version of the model. Default: none.
        subject: ARN of the resource that it is about. Default: none.
        facts: What the kind of record has. Default: nothing.
        evidence: Files by name, as `lambda/shared/chain.py` names them. Default: none.
    """

    kind: str
    id: str
    time: datetime
    by: By
    model: str = ""
    version: int | None = None
    subject: str | None = None
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    evidence: dict[str, Any] = field(default_factory=dict[str, Any])

    def sent_by(self, sender: str) -> Self:
        """The record of an event that `sender` sent to the queue, as SQS says.

        EventBridge sends as a user of AWS, without a colon. `<role id>:<session>` is a role's session, which sent what looks
        like an event: then what the event says is a claim.
        """
        if ":" not in sender or self.by.source == "sqs-sender":
            return self
        return replace(self, by=By(sender, "sqs-sender", f"event of AWS: {self.by.identity or self.by.source}"))

    def record(self, sequence: int, previous: str | None, schema: str) -> dict[str, Any]:
        """The record with its number, and the SHA-256 of the one before."""
        factory, environment = factory_and_environment(PARAMETER_PREFIX)
        return {
            "schema": schema,
            "sequence": sequence,
            "previous": previous,
            "id": self.id,
            "kind": self.kind,
            "time": self.time.astimezone(UTC).isoformat(),
            "recorded": datetime.now(UTC).isoformat(),
            "factory": factory,
            "environment": environment,
            "model": self.model,
            "version": self.version,
            "subject": self.subject,
            "by": {"identity": self.by.identity, "source": self.by.source, "claimed": self.by.claimed},
            "facts": self.facts,
            "evidence": self.evidence,
        }
