"""A stand-in for the recorder (`lambda/recorder`): it takes the messages of its queue at once and keeps each event once.

The function itself does not run here; `tests/unit/lambda/test_recorder.py` tests it. As it does, the stand-in refuses messages
that are no records, and takes the same model, kind and id for the same event, also when SQS no longer does after five minutes.
It has no evidence, no chain and no faults of its own: a message that SQS accepted is recorded.
"""

from .functions import load
from .names import PREFIX

QUEUE = f"{PREFIX}-recorder.fifo"


class Recorder:
    """The records of one world, in the order in which they were first sent."""

    def __init__(self, world):
        self._world, self._records = world, {}
        world.sqs.create(QUEUE, 0, 1, 1).consume = self._record

    def records(self, model, kind):
        """The records of a kind about a model, as `drafts.Draft` of the recorder."""
        return [draft for draft in self._records.values() if (draft.model, draft.kind) == (model, kind)]

    def _record(self, body):
        recorder = load("recorder")
        try:
            draft = recorder.parse(recorder.Received(body, "AIDAIENQZJOLO23YVJ4VO"), None)
        except recorder.InvalidMessageError as error:
            self._world.defects.append(f"the recorder refuses {body}: {error}")
            return
        self._records.setdefault((draft.model, draft.kind, draft.id), draft)
