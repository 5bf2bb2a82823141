"""The decision on a version: the newest approval or rejection that took effect."""

from datetime import datetime, timedelta

from model_factory.functions.shared.approvals import KINDS
from model_factory.functions.shared.clients import ClientProvider

from .chain import Entry, of_kind
from .schema import facts_of, time_of

CLOCKS = timedelta(minutes=10)
"""Difference between the clock of the record's sender and SageMaker's."""


def newest_decision(
    session: ClientProvider, bucket: str, model: str, version: int, registered: datetime | None = None
) -> Entry | None:
    """The newest approval or rejection of a version; None when nobody has decided.

    A decision that AWS refused to carry out, and the record that says so, are left out. A record with a problem is not: it may
    be any of them. `registered`: decisions from before are on a deleted version that had the same number. Default: all count.
    Raises ClientError.
    """
    found = [entry for kind in KINDS.values() for entry in of_kind(session, bucket, model, kind, version)]
    refused = {facts_of(entry.record).get("refused") for entry in found}

    def counts(entry: Entry) -> bool:
        if entry.problem:
            return True
        time = time_of(entry.record)
        too_old = registered is not None and time is not None and time < registered - CLOCKS
        return not too_old and "refused" not in facts_of(entry.record) and entry.record.get("id") not in refused

    return max(filter(counts, found), key=lambda each: each.sequence, default=None)
