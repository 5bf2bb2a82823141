"""The machine of bucket-cleanup: a stack with a bucket is deleted while others write to it, and its event comes again."""

import uuid

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from .machine import FAULTS, Machine
from .simulation.buckets import Bucket
from .simulation.names import ACCOUNT, REGION, arn

NAME, NEIGHBOUR = "acme-dev-data-123456789012-eu-west-1", "acme-test-data-123456789012-eu-west-1"
TAG = "model-factory:delete-objects"
TIMEOUT = 840
ATTEMPTS = 3
"""Lambda invokes a function that was called asynchronously twice more when it fails."""
KEYS = st.sampled_from("abcdefgh")
ACTS = st.lists(st.none() | st.tuples(KEYS, st.booleans()), max_size=12)
"""What others do before the calls of the function: nothing, or write a key, or delete it without a version."""


class Cleanups(Machine):
    """One bucket with `removal: destroy`, and one of another stack that nobody deletes."""

    wanted = ("mistake", "answered", "emptied", "reason", "untouched", "repeated")

    def __init__(self):
        super().__init__()
        self.world.add_custom_resource("bucket-cleanup", TIMEOUT)
        self.buckets, self.number = self.world.buckets, 0
        self.events, self.broken_promises, self.state = [], [], "absent"
        self._create()
        self.buckets.buckets[NEIGHBOUR] = self._new_bucket(stack_arn(999))
        self.kept = {NEIGHBOUR: 0}
        for key in "ab":
            self._write(NEIGHBOUR, key)

    def _new_bucket(self, stack):
        return Bucket({TAG: "true", "aws:cloudformation:stack-id": stack})

    def _create(self):
        self.number, self.state = self.number + 1, "created"
        self.buckets.buckets[NAME] = self._new_bucket(stack_arn(self.number))

    def _write(self, bucket, key, *, marker=False, locked=False):
        written = self.buckets.put(bucket, key, marker=marker, locked=locked)
        if bucket == NEIGHBOUR:
            self.kept[bucket] += written

    @rule(bucket=st.sampled_from([NAME, NEIGHBOUR]), key=KEYS, marker=st.booleans())
    def somebody_writes(self, bucket, key, marker):
        self.step(f"somebody {'deletes' if marker else 'writes'} {key} in {bucket}")
        self._write(bucket, key, marker=marker)

    @precondition(lambda self: self.state == "created")
    @rule(key=KEYS)
    def somebody_locks_a_version(self, key):
        self.step(f"somebody writes {key} with a lock")
        self._write(NAME, key, locked=True)

    @precondition(lambda self: self.state in ("created", "deletion failed"))
    @rule(fault=FAULTS, acts=ACTS, slow=st.integers(0, 4))
    def the_stack_is_deleted(self, fault, acts, slow):
        self.step(f"the stack is deleted{f', {fault}' if fault else ''}")
        self.buckets.slow = slow
        self._delete_stack(fault, acts)

    @precondition(lambda self: self.state == "created")
    @rule(fault=FAULTS)
    def the_bucket_is_retained(self, fault):
        """An update from `destroy` to `retain` removes the tag, then the custom resource."""
        self.step("an update retains the bucket")
        del self.buckets.buckets[NAME].tags[TAG]
        before = len(self.buckets.buckets[NAME].versions)
        self._request(fault, [])
        if len(self.buckets.buckets[NAME].versions) != before:
            self.broken_promises.append(("untouched", "versions of a bucket that is retained are gone"))
        self.state = "retained"

    @precondition(lambda self: self.state == "deleted")
    @rule(keys=st.lists(KEYS, max_size=4))
    def the_stack_is_created_again(self, keys):
        self.step("the stack is created again")
        self._create()
        for key in keys:
            self._write(NAME, key)

    @precondition(lambda self: self.events)
    @rule(index=st.integers(0, 3), fault=FAULTS)
    def the_event_comes_again(self, index, fault):
        """Lambda invokes a function that was called asynchronously at least once, and up to six hours later."""
        stack, event = self.events[index % len(self.events)]
        self.step(f"the deletion of stack {stack} comes again")
        bucket = self.buckets.buckets.get(NAME)
        before = list(bucket.versions) if bucket else []
        self.world.functions["bucket-cleanup"].invoke(event, fault)
        if bucket and stack != self.number and bucket.versions != before:
            self.broken_promises.append(
                ("repeated", "an event of a stack that is gone empties the bucket of another one")
            )

    def _request(self, fault, acts):
        """CloudFormation invokes the function, Lambda again if it fails; the responses."""
        world, event = self.world, _event(self.number)
        self.events.append((self.number, event))
        before = len(world.responses)
        self.buckets.acts = [act and (lambda act=act: self._write(NAME, act[0], marker=act[1])) for act in acts]
        for _ in range(ATTEMPTS):
            world.functions["bucket-cleanup"].invoke(event, fault)
            if len(world.responses) > before:
                break
            fault = None
            world.clock.advance(60)
        self.buckets.acts = []
        if len(world.responses) == before:
            self.broken_promises.append(("answered", "CloudFormation gets no response, and waits for an hour"))
        return world.responses[before:]

    def _delete_stack(self, fault, acts):
        responses, bucket = self._request(fault, acts), self.buckets.buckets[NAME]
        if [each["Status"] for each in responses] == ["SUCCESS"]:
            if old := [each.key for each in bucket.versions if each.number <= bucket.listed]:
                self.broken_promises.append(
                    ("emptied", f"the function says that it has emptied the bucket; left: {old}")
                )
            reason = self.buckets.delete_bucket(NAME)
            self.state = "not empty" if reason else "deleted"
        else:
            self.state = "deletion failed"
            if not all(each["Reason"] for each in responses):
                self.broken_promises.append(("reason", f"the deletion fails without a reason: {responses}"))

    def failures(self):
        yield from super().failures()
        yield from self.broken_promises
        if (found := len(self.buckets.buckets[NEIGHBOUR].versions)) != self.kept[NEIGHBOUR]:
            yield "untouched", f"the bucket of another stack has {found} of {self.kept[NEIGHBOUR]} versions"

    def failures_at_rest(self):
        if self.state != "deletion failed":
            return
        self.world.tell("the locks are removed, and the stack is deleted once more")
        for each in self.buckets.buckets[NAME].versions:
            each.locked = False
        self._delete_stack(None, [])
        yield from self.failures()
        if self.state != "deleted":
            yield "emptied", "the stack cannot be deleted though nothing fails any more"


def stack_arn(number):
    return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/acme-dev-foundation/{uuid.UUID(int=number)}"


def _event(number):
    return {
        "RequestType": "Delete",
        "ServiceToken": arn("lambda", "function:acme-dev-bucket-cleanup"),
        "ResponseURL": "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/answer",
        "StackId": stack_arn(number),
        "RequestId": str(uuid.uuid4()),
        "LogicalResourceId": "DataLakeCleanup",
        "PhysicalResourceId": NAME,
        "ResourceType": "Custom::BucketCleanup",
        "ResourceProperties": {"ServiceToken": arn("lambda", "function:acme-dev-bucket-cleanup"), "BucketName": NAME},
    }
