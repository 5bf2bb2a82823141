"""The job compare: writes verdict.json about a version and the artifact that was trained again from its evidence.

Inputs (below processing/input/): `request/request.json` as `model-factory reproduce` writes it; `rebuilt`, the output of the
training that was run again; `report`, the report of its Prepare. The original artifact and the version's test rows are read from
S3 by the URIs of the request. The verdict is the first that is true:

    identical    model.tar.gz has the same bytes
    equal        the same content, apart from numbers of threads in pickles and from how the archive was packed
    same_scores  other content, and the same scores on the version's own test rows within `scoring.TOLERANCE`
    different    none of these; `data`, `run` and `files` say what differs
"""

import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from .. import paths, s3
from ..evaluation.champion import file_digest
from ..failures import JobFailure
from . import artifacts, scoring
from .differences import differences

FACTS = ("python", "platform", "processor", "processors", "threads", "instance", "hosts", "image")
"""Facts of a training that are compared one by one; `libraries` are compared by name."""
DATA = ("data_digest", "content_digest", "rows", "parts", "labels", "partitions")
"""Members of report.json that are the same for the same data."""


def run() -> None:
    """Run the job. Raises JobFailure when an artifact cannot be read."""
    request = json.loads((paths.processing_input("request") / "request.json").read_text())
    with tempfile.TemporaryDirectory() as temporary:
        verdict = _judge(request, Path(temporary))
    (paths.processing_output("verdict") / "verdict.json").write_text(json.dumps(verdict, indent=1))
    print(f"compare   {verdict['verdict']}: {verdict['says']}", flush=True)


def _judge(request: dict[str, Any], folder: Path) -> dict[str, Any]:
    original, rebuilt = _original(request, folder), _rebuilt()
    digests = {"original": file_digest(original), "rebuilt": file_digest(rebuilt)}
    if request["original"].get("sha256") not in (None, digests["original"]):
        raise JobFailure(
            f"{request['original']['uri']} is not the file that the version was evaluated with: its SHA-256 is "
            f"{digests['original']}, and the evaluation measured {request['original']['sha256']}"
        )
    found = {"artifact": digests, "data": _data(request), "run": _run(request, rebuilt), "files": {}, "scores": None}
    if digests["original"] == digests["rebuilt"]:
        return {"verdict": "identical", "says": "model.tar.gz has the same bytes", **found}
    one = artifacts.unpack(original, folder / "original")
    other = artifacts.unpack(rebuilt, folder / "rebuilt")
    files = artifacts.compare(one, other)
    found["files"] = files.to_dict()
    if files.meaningless:
        return {"verdict": "equal", "says": _says_equal(files), **found}
    scores = scoring.compare(one, other, _test_rows(request, folder), folder)
    found["scores"] = scores.to_dict()
    if scores.same:
        says = (
            f"other bytes, and the same scores: the largest difference of {scores.rows} test rows is "
            f"{scores.largest_difference:.1e}, the tolerance {scores.tolerance:.0e}"
        )
        return {"verdict": "same_scores", "says": says, **found}
    return {"verdict": "different", "says": _says_different(scores, found), **found}


def _original(request: dict[str, Any], folder: Path) -> Path:
    target = folder / "original.tar.gz"
    _download(request["original"]["uri"], target)
    return target


def _rebuilt() -> Path:
    found = sorted(paths.processing_input("rebuilt").rglob("model.tar.gz"))
    if len(found) != 1:
        raise JobFailure(f"the input `rebuilt` has {len(found)} files model.tar.gz; there must be one")
    return found[0]


def _test_rows(request: dict[str, Any], folder: Path) -> Path:
    rows = folder / "test"
    rows.mkdir()
    for number, uri in enumerate(request["test"]):
        _download(uri, rows / f"part-{number:05}.parquet")
    return rows


def _download(uri: str, target: Path) -> None:
    bucket, key = s3.split(uri)
    try:
        s3.client().download_file(bucket, key, str(target))
    except ClientError as error:
        raise JobFailure(f"{uri} cannot be read: {error}") from None


def _data(request: dict[str, Any]) -> dict[str, Any]:
    """Whether the same data was prepared: {"same": bool | None, "differences": [text]}."""
    path, before = paths.processing_input("report") / "report.json", request.get("report")
    if not before or not path.exists():
        return {"same": None, "differences": []}
    now = json.loads(path.read_text())
    # A report of an earlier version has fewer members.
    names = [name for name in DATA if name in before and name in now]
    apart = differences({name: before[name] for name in names}, {name: now[name] for name in names})
    texts = [str(each) for each in apart]
    return {"same": not texts, "differences": texts[: artifacts.MOST]}


def _run(request: dict[str, Any], rebuilt: Path) -> dict[str, Any]:
    """Facts that differ between the two trainings: {"known": bool, "facts": {name: [then, now]}, "libraries": {…}}."""
    before, now = request.get("facts"), _facts(rebuilt)
    if not before or not now:
        return {"known": False, "facts": {}, "libraries": {}}
    return {
        "known": True,
        "facts": _apart({name: before.get(name) for name in FACTS}, {name: now.get(name) for name in FACTS}),
        "libraries": _apart(before.get("libraries", {}), now.get("libraries", {})),
        "identical": before.get("identical"),
    }


def _facts(rebuilt: Path) -> dict[str, Any] | None:
    """facts.json of output.tar.gz beside the rebuilt artifact; None when its code writes none."""
    archive = rebuilt.with_name("output.tar.gz")
    if not archive.exists():
        return None
    with tarfile.open(archive) as opened:
        member = next((each for each in opened if each.name.endswith("facts.json")), None)
        content = opened.extractfile(member) if member else None
        return json.load(content) if content else None


def _apart(before: dict[str, Any], now: dict[str, Any]) -> dict[str, list[Any]]:
    names = sorted({*before, *now})
    return {name: [before.get(name), now.get(name)] for name in names if before.get(name) != now.get(name)}


def _says_equal(files: artifacts.FileDifferences) -> str:
    fields = sorted({each.path.rpartition(".")[2] for places in files.places.values() for each in places})
    if fields:
        return f"the same content, apart from {', '.join(fields)}"
    return "every file has the same content; only the archive was written in another way"


def _says_different(scores: scoring.Scores, found: dict[str, Any]) -> str:
    reasons = [scores.reason] if scores.reason else []
    if scores.largest_difference is not None:
        apart = f"{scores.differing} of {scores.rows} test rows have another score, by up to {scores.largest_difference:.2g}"
        reasons.append(apart)
    reasons += [f"the data differs ({each})" for each in found["data"]["differences"][:2]]
    reasons += [f"{name} {before} -> {now}" for name, (before, now) in found["run"]["libraries"].items()][:3]
    reasons += [f"{name} {before} -> {now}" for name, (before, now) in found["run"]["facts"].items()][:3]
    return "; ".join(reasons) + f"; files that differ: {', '.join(found['files'])}"
