"""The queues of asynchronous endpoints: their requests are processed one after the other while there is an instance.

Sources: SageMaker developer guide, 'Asynchronous inference' and its page 'Autoscale an asynchronous endpoint'. A restart of the
embedded AWS loses the queues.
"""

import json
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from werkzeug.wrappers import Request, Response

from ...json_api import Record
from ..service import Service
from ..state import State
from .asynchronous import Invocation, Queued, count, queued
from .invocations import check_headers
from .variants import Variants

log = logging.getLogger(__name__)
OFTEN_SECONDS, SELDOM_SECONDS = 5.0, 60.0
"""Between two publications of the queue's metrics: in the first minute after a change, and later. On AWS: a minute."""


class Hosting(Protocol):
    """What runs behind endpoints."""

    def serving(self, arn: str) -> Variants | None:
        """The variants for the next request; None where the endpoint has no instance."""
        ...


@dataclass
class _Queue:
    """What waits for an endpoint, and when its metrics were published last."""

    waiting: deque[Queued]
    processing: int = 0
    published: tuple[int, int] | None = None
    changed: float = 0.0
    due: float = 0.0

    @property
    def size(self) -> int:
        """ApproximateBacklogSize: items that wait or are processed."""
        return len(self.waiting) + self.processing


class Queues:
    """The queues of all asynchronous endpoints."""

    def __init__(self, service: Service, hosting: Hosting) -> None:
        self._service, self._hosting = service, hosting
        self._queues: dict[str, _Queue] = {}
        self._lock = threading.Lock()

    def add(self, state: State, endpoint: Record, request: Request) -> Response:
        """InvokeEndpointAsync: put a request into the queue. Raises ServiceError."""
        check_headers(request)
        item = queued(request, endpoint["AsyncInferenceConfig"]["OutputConfig"])
        with self._lock:
            queue = self._queue(endpoint)
            queue.waiting.append(item)
            queue.changed, queue.due = time.monotonic(), 0.0
        self.work(state, endpoint)
        headers = {"X-Amzn-SageMaker-OutputLocation": item.output}
        if item.failure:
            headers["X-Amzn-SageMaker-FailureLocation"] = item.failure
        body = json.dumps({"InferenceId": item.inference_id})
        return Response(body, 202, headers, content_type="application/json")

    def work(self, state: State, endpoint: Record) -> None:
        """Process what waits for an endpoint, unless that is being done or it has no instance; returns at once."""
        with self._lock:
            queue = self._queue(endpoint)
            if queue.processing or not queue.waiting or self._hosting.serving(endpoint["EndpointArn"]) is None:
                return
            queue.processing = 1
        threading.Thread(target=self._process_all, args=(state, endpoint, queue), daemon=True).start()

    def remove(self, endpoint: Record) -> None:
        """Forget the queue of an endpoint that is deleted, with the requests in it."""
        with self._lock:
            self._queues.pop(endpoint["EndpointArn"], None)

    def tick(self) -> None:
        """Expire requests, and publish the metrics of the queues; called every second."""
        for state in self._service.states():
            for endpoint in list(state.endpoints.values()):
                if "AsyncInferenceConfig" in endpoint:
                    self._expire(state, endpoint)
                    self._publish(state, endpoint)
                    self.work(state, endpoint)

    def _queue(self, endpoint: Record) -> _Queue:
        return self._queues.setdefault(endpoint["EndpointArn"], _Queue(deque()))

    def _process_all(self, state: State, endpoint: Record, queue: _Queue) -> None:
        while True:
            with self._lock:
                variants = self._hosting.serving(endpoint["EndpointArn"])
                if not queue.waiting or variants is None or self._service.stopping.is_set():
                    queue.processing = 0
                    return
                item = queue.waiting.popleft()
            try:
                Invocation(self._service, state, endpoint, item).process(variants.choose())
            except Exception:
                log.exception("request %s of %s", item.inference_id, endpoint["EndpointName"])

    def _expire(self, state: State, endpoint: Record) -> None:
        with self._lock:
            queue = self._queue(endpoint)
            expired = [item for item in queue.waiting if item.age > item.ttl]
            for item in expired:
                queue.waiting.remove(item)
        for item in expired:
            Invocation(self._service, state, endpoint, item).expire()

    def _publish(self, state: State, endpoint: Record) -> None:
        instances = sum(each.get("CurrentInstanceCount", 0) for each in endpoint["ProductionVariants"])
        now = time.monotonic()
        with self._lock:
            queue = self._queue(endpoint)
            seen = (queue.size, instances)
            if seen == queue.published and now < queue.due:
                return
            if seen != queue.published:
                queue.published, queue.changed = seen, now
            queue.due = now + (OFTEN_SECONDS if now - queue.changed < SELDOM_SECONDS else SELDOM_SECONDS)
            oldest = max((item.age for item in queue.waiting), default=0.0)
        size = seen[0]
        values = {
            "ApproximateBacklogSize": ("Count", float(size)),
            "ApproximateBacklogSizePerInstance": ("Count", size / max(1, instances)),
            "ApproximateAgeOfOldestRequest": ("Seconds", oldest),
            "HasBacklogWithoutCapacity": ("None", float(size > 0 and instances == 0)),
        }
        count(self._service, state, {"EndpointName": endpoint["EndpointName"]}, values)
