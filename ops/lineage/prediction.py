"""A captured prediction, and the version that answered it."""

from ..explanation import traffic
from ..explanation.captures import Captured
from ..project import EnvironmentSession
from .links import Link, known
from .version import version


def prediction(session: EnvironmentSession, model: str, captured: Captured) -> Link:
    """Lineage of a captured request: the version that its answer names, and what that was made from.

    An answer that names none is attributed by the records of deployments; while two versions shared the traffic it may be of
    either, which is named as a problem. Raises ClientError.
    """
    link = Link("prediction", captured.inference_id, f"s3://{session.names.bucket('data')}/{captured.key}")
    link.facts = known(time=captured.time, content_type=captured.answer_type or captured.content_type)
    if captured.others:
        link.facts |= known(other_requests_with_this_id=captured.others)
    if captured.version is not None:
        numbers, how = [captured.version], "named by the captured answer"
    else:
        numbers = traffic.candidates(captured.time, traffic.intervals(session, model))
        how = "by the records of deployments"
    link.facts |= known(answered_by=how)
    if not numbers:
        link.problem = "the answer names no version, and no recorded deployment is before it"
    elif len(numbers) > 1:
        shared = " and ".join(map(str, numbers))
        link.problem = (
            f"versions {shared} shared the traffic, and the answer names neither; explain compares their scores"
        )
    link.below = [version(session, model, each) for each in numbers]
    return link
