"""Jobs of Lambda actions, which functions complete with PutJobSuccessResult or PutJobFailureResult."""

import threading
import uuid

from ..json_api import Record


class Jobs:
    """The jobs that wait for a result."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[str, Record | None] = {}
        self._done: set[str] = set()
        self.answered = threading.Event()

    def open(self) -> str:
        """A new job's id."""
        identifier = str(uuid.uuid4())
        with self._lock:
            self._answers[identifier] = None
        return identifier

    def status(self, identifier: str) -> Record | None:
        """The record of a job that rules ask for; None for an unknown one."""
        with self._lock:
            if identifier in self._answers:
                waits = self._answers[identifier] is None
                return {"Status": "InProgress" if waits else "Succeeded"}
            return {"Status": "Succeeded"} if identifier in self._done else None

    def answer(self, identifier: str, answer: Record) -> None:
        """Store a result."""
        with self._lock:
            self._answers[identifier] = answer

    def look(self, identifier: str) -> Record | None:
        """The result, once; None before it is there."""
        with self._lock:
            if (answer := self._answers[identifier]) is not None:
                del self._answers[identifier]
                self._done.add(identifier)
            return answer
