"""SQS FIFO queues with their dead-letter queues.

Of Amazon SQS's guide: messages of a group are received in order, and none while an earlier one is in flight; the same content
within five minutes is one message; a message that was received `maxReceiveCount` times moves to the dead letters instead of
being received again. Of Lambda's guide: messages that failed become visible after the visibility timeout.
"""

import hashlib
import itertools
from dataclasses import dataclass, field
from datetime import timedelta

from .calls import refused

DEDUPLICATION = timedelta(minutes=5)
DEAD_LETTERS = "-dead-letters.fifo"
"""End of the name of a queue's dead-letter queue, to which functions send as well."""


@dataclass
class Message:
    """A message in a queue. `visible`: the time from which it can be received (again)."""

    id: str
    body: str
    group: str
    sent: object
    visible: object
    received: int = 0
    notified: bool = False


@dataclass
class Queue:
    """A FIFO queue with content-based deduplication. `consume(body)`: who takes each message at once; default: nobody."""

    name: str
    visibility: timedelta
    max_receives: int
    batch: int
    messages: list = field(default_factory=list)
    dead: list = field(default_factory=list)
    seen: dict = field(default_factory=dict)
    consume: object = None

    @property
    def waiting(self):
        return bool(self.messages)

    def receivable(self, now):
        """Messages that the next batch has, without those that go to the dead letters now."""
        blocked = {message.group for message in self.messages if message.received and message.visible > now}
        batch = []
        for message in list(self.messages):
            if message.group in blocked or message.visible > now:
                blocked.add(message.group)
            elif message.received >= self.max_receives:
                self.messages.remove(message)
                self.dead.append(message)
            elif len(batch) < self.batch:
                batch.append(message)
        return batch


class Sqs:
    """Amazon SQS."""

    def __init__(self, world):
        self._world, self.queues = world, {}
        self._ids = itertools.count(1)
        self.sent = []

    def create(self, name, visibility, max_receives, batch):
        self.queues[name] = Queue(name, timedelta(seconds=visibility), max_receives, batch)
        return self.queues[name]

    def put(self, name, body, group, deduplication=None, delay=0):
        """Accept a message; the message, or the earlier one of the same content."""
        queue, now = self.queues[name], self._world.clock.now
        key = deduplication or hashlib.sha256(body.encode()).hexdigest()
        earlier = queue.seen.get(key)
        if earlier and now - earlier.sent < DEDUPLICATION:
            return earlier
        message = Message(self._new_id(), body, group, now, now)
        queue.seen[key] = message
        if queue.consume:
            queue.consume(body)
            return message
        queue.messages.append(message)
        self.sent.append((name, message))
        return message

    def receive(self, name):
        """The next batch, in flight until the visibility timeout ends."""
        queue, now = self.queues[name], self._world.clock.now
        batch = queue.receivable(now)
        for message in batch:
            message.received += 1
            message.visible = now + queue.visibility
        return batch

    def delete(self, name, message):
        queue = self.queues[name]
        if message in queue.messages:
            queue.messages.remove(message)

    def redrive(self, name):
        """Move the dead letters back, as StartMessageMoveTask does: as new messages with new ids."""
        queue, now = self.queues[name], self._world.clock.now
        moved, queue.dead = queue.dead, []
        for message in moved:
            queue.messages.append(Message(self._new_id(), message.body, message.group, now, now))
            self.sent.append((name, queue.messages[-1]))
        return moved

    def _new_id(self):
        return f"{next(self._ids):08}-0000-4000-8000-000000000000"

    # The API

    def get_queue_url(self, QueueName):
        if QueueName not in self.queues:
            raise refused(
                "GetQueueUrl", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."
            )
        return {"QueueUrl": queue_url(QueueName)}

    def send_message(self, QueueUrl, MessageBody, MessageGroupId, MessageDeduplicationId=None, **_):
        name = QueueUrl.rpartition("/")[2]
        self._world.tell(f"  … sends to the queue {name}: {MessageBody[:140]}")
        if name.endswith(DEAD_LETTERS):
            queue, now = self.queues[name.removesuffix(DEAD_LETTERS) + ".fifo"], self._world.clock.now
            message = Message(self._new_id(), MessageBody, MessageGroupId, now, now, notified=True)
            queue.dead.append(message)
            return {"MessageId": message.id, "SequenceNumber": message.id[:8]}
        message = self.put(name, MessageBody, MessageGroupId, MessageDeduplicationId)
        return {"MessageId": message.id, "SequenceNumber": message.id[:8]}

    def change_message_visibility(self, QueueUrl, ReceiptHandle, VisibilityTimeout):
        queue = self.queues[QueueUrl.rpartition("/")[2]]
        for message in queue.messages:
            if message.id == ReceiptHandle:
                message.visible = self._world.clock.now + timedelta(seconds=VisibilityTimeout)
        return {}

    def delete_message(self, QueueUrl, ReceiptHandle):
        queue = self.queues[QueueUrl.rpartition("/")[2]]
        queue.messages = [message for message in queue.messages if message.id != ReceiptHandle]
        return {}


def queue_url(name):
    return f"https://sqs.eu-west-1.amazonaws.com/123456789012/{name}"


def record(message, queue_arn):
    """A message as Lambda passes it to a function."""
    return {
        "messageId": message.id,
        "receiptHandle": message.id,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.received),
            "SentTimestamp": str(int(message.sent.timestamp() * 1000)),
            "SequenceNumber": message.id[:8],
            "MessageGroupId": message.group,
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "MessageDeduplicationId": message.id,
            "ApproximateFirstReceiveTimestamp": str(int(message.sent.timestamp() * 1000)),
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": "eu-west-1",
    }
