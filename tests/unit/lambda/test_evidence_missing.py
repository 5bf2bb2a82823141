"""Evidence that cannot be kept, or that is not what it was: named with its reason."""

import base64
import hashlib
import io
import tarfile
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from .training_files import ARTIFACT, EXECUTION, FOLDER, MODEL, SageMaker, digest, put, trained


@pytest.fixture
def collect(s3, recorder_modules):
    """Collects the evidence of a training in a store that has so much time."""

    def collect(seconds=60, **more):
        fields = {"folder": FOLDER, "execution": EXECUTION, "artifact": FOLDER + ARTIFACT}
        sources = recorder_modules.evidence.Sources(**fields | {"artifact_digest": digest(MODEL)} | more)
        store = recorder_modules.store.Store(s3, "records", "sales", lambda: seconds)
        return recorder_modules.evidence.collect(sources, store, SageMaker())

    return collect


def test_files_that_promotion_brought_are_kept(s3, collect):
    trained(s3)
    put(s3, "lineage/definition.json", b"{}")
    put(s3, "lineage/code.zip", b"the code")
    found = collect(execution=None)
    assert found.files["definition"]["sha256"] == digest(b"{}")
    assert found.files["code"]["sha256"] == digest(b"the code")


def test_code_that_is_gone_is_missing_and_other_errors_are_raised(s3, recorder_modules):
    evidence = recorder_modules.evidence.Evidence()
    store = recorder_modules.store.Store(s3, "records", "sales", lambda: 60)
    recorder_modules.evidence._keep_code(evidence, "s3://assets/gone.zip", store)
    assert evidence.missing == {"code": "s3://assets/gone.zip does not exist"}

    def refuses(**_):
        raise ClientError({"Error": {"Code": "403"}}, "HeadObject")

    denied = recorder_modules.store.Store(SimpleNamespace(head_object=refuses), "records", "sales", lambda: 60)
    with pytest.raises(ClientError, match="403"):
        recorder_modules.evidence._keep_code(evidence, "s3://assets/1.zip", denied)


def test_artifact_and_files_without_time_to_read_them_are_missing(s3, collect):
    trained(s3)
    found = collect(seconds=-1)
    assert "could be read in time" in found.missing["artifact"]
    assert "could be read in time" in found.missing["manifest"]
    assert found.differences == []


def test_artifact_without_measurement_is_kept(s3, collect):
    trained(s3)
    found = collect(artifact_digest=None)
    assert found.files["artifact"]["sha256"] == digest(MODEL)
    assert found.differences == []


def test_artifact_of_training_that_has_none_is_missing(collect):
    assert collect(execution=None).missing["artifact"] == f"it is not below {FOLDER}"


def archive(name="facts.json", size=None, kind=tarfile.REGTYPE):
    """A .tar.gz with one member."""
    target = io.BytesIO()
    content = b"{}" if size is None else b" " * size
    with tarfile.open(fileobj=target, mode="w:gz") as opened:
        member = tarfile.TarInfo(name)
        member.size, member.type = (len(content) if kind == tarfile.REGTYPE else 0), kind
        opened.addfile(member, io.BytesIO(content))
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "is_found"),
    [
        (archive(), True),
        (archive("deep/down/facts.json"), True),
        (archive(size=1 << 20), True),
        (archive(size=(1 << 20) + 1), False),
        (archive("other.json"), False),
        (archive(kind=tarfile.DIRTYPE), False),
        (b"no archive", False),
        (archive()[:20], False),
    ],
)
def test_facts_of_training_are_a_small_file_of_its_output(recorder_modules, content, is_found):
    found = recorder_modules.evidence._member(io.BytesIO(content), "facts.json")
    assert (found is not None) is is_found


def test_only_output_without_facts_misses_them(s3, collect):
    assert "train_facts" not in collect().missing
    put(s3, "train/job/output/output.tar.gz", archive("other.json"))
    uri = f"{FOLDER}train/job/output/output.tar.gz"
    assert collect().missing["train_facts"] == f"{uri} has no facts.json in its first 67108864 bytes"


@pytest.mark.parametrize(("kind", "is_trusted"), [("FULL_OBJECT", True), ("COMPOSITE", False)])
def test_checksum_of_whole_object_is_its_digest(recorder_modules, kind, is_trusted):
    checksum = base64.b64encode(hashlib.sha256(b"stored").digest()).decode()
    answer = {"Body": io.BytesIO(b"read"), "ChecksumType": kind, "ChecksumSHA256": checksum}
    s3 = SimpleNamespace(get_object=lambda **request: answer if request["ChecksumMode"] == "ENABLED" else {})
    version = recorder_modules.store.ObjectVersion("b", "k", "v", 4)
    found = recorder_modules.store.Store(s3, "records", "sales", lambda: 60).digest(version)
    assert found == digest(b"stored" if is_trusted else b"read")


def test_copy_with_another_checksum_is_no_evidence(recorder_modules):
    checksum = base64.b64encode(bytes.fromhex("b" * 64)).decode()
    s3 = SimpleNamespace(
        list_objects_v2=lambda **_: {}, copy_object=lambda **_: {"CopyObjectResult": {"ChecksumSHA256": checksum}}
    )
    store, version = (
        recorder_modules.store.Store(s3, "records", "sales", lambda: 60),
        recorder_modules.store.ObjectVersion("b", "k", "v", 4),
    )
    with pytest.raises(recorder_modules.store.UnreadableError, match=f"the copy has the SHA-256 {'b' * 64}"):
        store.copy(version, "a" * 64)


def test_inputs_are_kept_only_without_a_manifest(s3, collect):
    put(s3, "prepare/report/inputs.json", b"{}")
    assert "inputs" in collect().files
    put(s3, "prepare/report/manifest.json", b"{}")
    assert {"manifest"} == {"manifest", "inputs"} & set(collect().files)
