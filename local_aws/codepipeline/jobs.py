"""Jobs of Lambda actions, which functions complete with PutJobSuccessResult or PutJobFailureResult."""

import threading
import uuid

from ..json_api import Record, ServiceError


class Jobs:
    """The jobs that wait for a result."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[str, Record | None] = {}
        self.answered = threading.Event()

    def open(self) -> str:
        """A new job's id."""
        identifier = str(uuid.uuid4())
        with self._lock:
            self._answers[identifier] = None
        return identifier

    def answer(self, identifier: str, answer: Record) -> None:
        """Store a result. Raises ServiceError for an unknown job."""
        with self._lock:
            if identifier not in self._answers:
                raise ServiceError(f"Job {identifier} does not exist", "JobNotFoundException")
            self._answers[identifier] = answer

    def look(self, identifier: str) -> Record | None:
        """The result, once; None before it is there."""
        with self._lock:
            if (answer := self._answers[identifier]) is not None:
                del self._answers[identifier]
            return answer
