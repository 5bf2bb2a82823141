"""The verdict of a reproduction: in words, as exit code, and as a record."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from model_factory.functions.shared.records import Record, RecorderQueue, send_record

from ..project import EnvironmentSession
from .recorded import Recorded

SAME = ("identical", "equal", "same_scores")
DIFFERENT, CANNOT = 1, 2
"""Exit codes: something differs; it cannot be trained again."""
_WORDS = {
    "identical": "identical",
    "equal": "equal",
    "same_scores": "the same scores",
    "different": "different",
}


@dataclass(frozen=True)
class Verdict:
    """The content of verdict.json (jobs/reproduction/compare.py), and how the version was trained again.

    Args:
        content: The content of verdict.json.
        notes: What was not as it was for the original, such as libraries of this machine. Default: none.
    """

    content: dict[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0: identical, equal, or the same scores; 1: different."""
        return 0 if self.content["verdict"] in SAME else DIFFERENT

    def lines(self) -> Iterator[str]:
        """The verdict in words, most important first."""
        content = self.content
        yield f"{_WORDS[content['verdict']]}: {content['says']}"
        artifact = content["artifact"]
        yield f"sha256 of model.tar.gz: {artifact['original']} then, {artifact['rebuilt']} now"
        if content["verdict"] != "identical":
            for name, file in content["files"].items():
                more = file["count"] - len(file["places"])
                yield from (f"  {name}: {place}" for place in file["places"][:_SHOWN])
                if file["count"] > _SHOWN:
                    yield f"  {name}: {more + len(file['places']) - _SHOWN} more places"
            yield from (f"  data: {each}" for each in content["data"]["differences"])
        run = content["run"]
        for name, (then, now) in {**run["facts"], **run["libraries"]}.items():
            yield f"  {name}: {then} then, {now} now"
        if content["verdict"] != "identical" and (predicted := run.get("identical")):
            yield f"  identical bytes need {predicted['same_bytes']}: {predicted['reason']}"
        yield from self.notes


def expectation(recorded: Recorded) -> str:
    """What the training itself said, before it is repeated: whether the bytes can be the same, and where."""
    said: dict[str, str] = (recorded.facts or {}).get("identical") or {}
    if not said:
        return "its training did not record whether the same bytes can be expected"
    needs, reason = said["same_bytes"], said["reason"]
    if needs == "any threads":
        return f"the same bytes are expected on any number of threads: {reason}"
    if not needs.startswith("same "):
        return f"the same scores are expected, and the same bytes need {needs}: {reason}"
    threads, processor = ((recorded.facts or {}).get(name) or "unknown" for name in ("threads", "processor"))
    return (
        f"the same bytes are expected only with the {needs.removeprefix('same ')} of the training ({threads} threads, "
        f"{processor}), otherwise the same scores: {reason}"
    )


_SHOWN = 5


def recorder(session: EnvironmentSession) -> RecorderQueue:
    """The queue of the environment's recorder. Raises UsageError without one, before anything is trained."""
    sqs = session.client("sqs")
    try:
        return RecorderQueue.of(session, session.names.prefix)
    except sqs.exceptions.QueueDoesNotExist:
        raise session.not_deployed(f"queue {session.names.queue('recorder')!r}") from None


def record(
    session: EnvironmentSession, queue: RecorderQueue, recorded: Recorded, verdict: Verdict, identifier: str
) -> str:
    """Send a record about the reproduction to the recorder of the version's environment; its id. Raises ClientError."""
    content = verdict.content
    facts = {name: content[name] for name in ("verdict", "says", "artifact", "scores", "data", "run")}
    facts |= {"files": sorted(content["files"]), "notes": list(verdict.notes), "where": content["where"]}
    facts |= {name: content[name] for name in ("execution", "verdict_uri") if name in content}
    sent = Record(
        kind="reproduction",
        id=identifier,
        model=recorded.model,
        version=recorded.version,
        subject=recorded.subject,
        by=session.caller_arn,
        facts=facts,
    )
    return send_record(sent, queue)


def record_failure(
    session: EnvironmentSession, queue: RecorderQueue, model: str, version: int, reason: Exception, identifier: str
) -> str:
    """Send a record that a version could not be trained again, and why; its id. Raises ClientError."""
    sent = Record(
        kind="reproduction",
        id=identifier,
        model=model,
        version=version,
        by=session.caller_arn,
        facts={"verdict": "cannot", "says": str(reason)},
    )
    return send_record(sent, queue)
