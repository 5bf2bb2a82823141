"""Evidence of a version: copied by SHA-256, in the version that was registered."""

import base64
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from .training_files import ARTIFACT, EXECUTION, FACTS, FOLDER, MODEL, SageMaker, digest, kept, put, trained


@pytest.fixture
def store(s3, recorder_modules):
    return recorder_modules.store.Store(s3, "records", "sales", lambda: 60)


@pytest.fixture
def collect(recorder_modules, store):
    """Collects the evidence of a training; the fields of Sources given replace those of the trained version."""

    def collect(given=store, **more):
        fields = {"folder": FOLDER, "execution": EXECUTION, "artifact": FOLDER + ARTIFACT}
        sources = recorder_modules.evidence.Sources(**fields | {"artifact_digest": digest(MODEL)} | more)
        return recorder_modules.evidence.collect(sources, given, SageMaker())

    return collect


def test_evidence_has_all_files_of_version(s3, collect):
    version = trained(s3)
    found = collect()
    names = {"code", "definition", "manifest", "report", "prepare_facts", "evaluation", "artifact", "train_facts"}
    assert set(found.files) == names
    assert found.files["artifact"] == {
        "sha256": digest(MODEL), "size": len(MODEL), "source": FOLDER + ARTIFACT, "version_id": version
    }  # fmt: skip
    assert (found.missing, found.differences) == ({}, [])
    assert found.contents["train_facts"] == FACTS
    assert all(key == f"sales/evidence/{digest(content)}" for key, content in kept(s3).items())
    assert kept(s3)[f"sales/evidence/{digest(b'code')}"] == b"code"


def test_rows_are_recorded_and_not_locked(s3, collect):
    trained(s3)
    version = put(s3, "prepare/baseline/sample.parquet", b"sample")
    put(s3, "prepare/baseline/profile.json", b"{}")
    found = collect()
    assert set(found.rows) == {"test/part-0.parquet", "baseline/sample.parquet"}
    assert found.rows["baseline/sample.parquet"] == {
        "sha256": digest(b"sample"), "size": 6, "source": f"{FOLDER}prepare/baseline/sample.parquet", "version_id": version
    }  # fmt: skip
    assert "baseline/profile.json" in found.files
    assert not {b"rows", b"sample"} & set(kept(s3).values())


def test_repeated_message_copies_nothing(s3, collect):
    trained(s3)
    first = collect()
    before = s3.list_object_versions(Bucket="records")["Versions"]
    assert collect() == first
    assert s3.list_object_versions(Bucket="records")["Versions"] == before


def test_overwritten_artifact_is_named_and_original_kept(s3, collect):
    original = trained(s3)
    put(s3, ARTIFACT, b"another")
    found = collect()
    assert (found.files["artifact"]["version_id"], found.files["artifact"]["sha256"]) == (original, digest(MODEL))
    assert "was written again: 2 versions, of which 1 have another SHA-256" in found.differences[0]
    assert f"sales/evidence/{digest(b'another')}" not in kept(s3)


def test_artifact_that_was_never_evaluated_is_missing(s3, collect):
    trained(s3)
    found = collect(artifact_digest="0" * 64)
    assert "artifact" not in found.files
    assert "no version of" in found.missing["artifact"]


def test_report_that_was_written_after_registration_is_named(s3, recorder_modules, collect):
    trained(s3)
    time = datetime.now(UTC)
    put(s3, "evaluation/evaluation.json", b'{"gate": 1}')
    entries = s3.list_object_versions(Bucket="artifacts", Prefix="sales/executions/abc/evaluation/")["Versions"]
    assert entries[0]["LastModified"] >= time - timedelta(seconds=1)

    class Later:
        """S3's times have seconds; here the second version is an hour younger."""

        def get_paginator(self, name):
            return self

        def paginate(self, **request):
            for page in s3.get_paginator("list_object_versions").paginate(**request):
                for entry in page.get("Versions", []):
                    again = entry["Key"].endswith("evaluation.json") and entry["IsLatest"]
                    entry["LastModified"] += timedelta(hours=1 if again else 0)
                yield page

        def __getattr__(self, name):
            return getattr(s3, name)

    later = recorder_modules.store.Store(Later(), "records", "sales", lambda: 60)
    found = collect(later, time=time + timedelta(minutes=1))
    assert found.files["evaluation"]["sha256"] == digest(b"{}")
    assert found.differences == [
        f"{FOLDER}evaluation/evaluation.json was written again after the training had ended; the earlier version is kept"
    ]


def test_rejected_training_keeps_everything_but_artifact(s3, collect):
    trained(s3)
    found = collect(artifact=None, artifact_digest=None)
    assert "artifact" not in found.files
    assert found.missing == {}
    assert f"sales/evidence/{digest(MODEL)}" not in kept(s3)


def test_failed_training_names_what_is_missing(s3, collect):
    found = collect(artifact=None)
    assert set(found.files) == {"definition", "code"}
    assert set(found.missing) == {"manifest", "report", "evaluation"}


@pytest.mark.parametrize(
    ("reason", "is_missing"), [("PipelineExecution does not exist", True), ("Rate exceeded", False)]
)
def test_definition_of_deleted_execution_is_missing(s3, store, recorder_modules, reason, is_missing):
    class Sagemaker:
        def describe_pipeline_definition_for_execution(self, **_):
            code = "ResourceNotFound" if is_missing else "ThrottlingException"
            raise ClientError({"Error": {"Code": code, "Message": reason}}, "DescribePipelineDefinitionForExecution")

    trained(s3)
    sources = recorder_modules.evidence.Sources(folder=FOLDER, execution=EXECUTION, artifact=None, artifact_digest=None)
    if is_missing:
        found = recorder_modules.evidence.collect(sources, store, Sagemaker())
        assert found.missing["definition"] == f"{EXECUTION} does not exist"
        return
    with pytest.raises(ClientError, match="Rate exceeded"):
        recorder_modules.evidence.collect(sources, store, Sagemaker())


def test_artifact_too_large_for_the_time_is_missing(s3, recorder_modules, collect):
    trained(s3)
    late = recorder_modules.store.Store(s3, "records", "sales", lambda: -1)
    version = recorder_modules.store.ObjectVersion("artifacts", f"sales/executions/abc/{ARTIFACT}", "null", 12)
    with pytest.raises(recorder_modules.store.UnreadableError, match=r"only 12 of 12 bytes could be read in time"):
        late.digest(version)


@pytest.mark.parametrize("content", [b"no JSON", b"[]"])
def test_facts_that_are_no_json_object_are_kept_without_content(s3, collect, content):
    trained(s3)
    put(s3, "prepare/report/facts.json", content)
    found = collect()
    assert found.files["prepare_facts"]["sha256"] == digest(content)
    assert found.contents["prepare_facts"] == {}


def test_object_of_five_gibibytes_is_copied_in_one_call(recorder_modules):
    checksum = base64.b64encode(bytes.fromhex("a" * 64)).decode()
    s3 = SimpleNamespace(
        list_objects_v2=lambda **_: {}, copy_object=lambda **_: {"CopyObjectResult": {"ChecksumSHA256": checksum}}
    )
    version = recorder_modules.store.ObjectVersion("artifacts", "large", "v1", 5 * 1024**3)
    entry = recorder_modules.store.Store(s3, "records", "sales", lambda: 60).copy(version, "a" * 64)
    assert entry["size"] == 5 * 1024**3


def test_large_object_is_copied_in_parts(recorder_modules):
    class S3:
        """Counts parts; what S3 does with them is tested with the embedded AWS."""

        def __init__(self):
            self.calls = []

        def list_objects_v2(self, **_):
            return {}

        def create_multipart_upload(self, **request):
            self.calls.append(request)
            return {"UploadId": "u"}

        def upload_part_copy(self, **request):
            self.calls.append(request)
            return {"CopyPartResult": {"ETag": "e", "ChecksumSHA256": str(request["PartNumber"])}}

        def complete_multipart_upload(self, **request):
            self.calls.append(request)

    s3 = S3()
    version = recorder_modules.store.ObjectVersion("artifacts", "large", "v1", 5 * 1024**3 + 1)
    entry = recorder_modules.store.Store(s3, "records", "sales", lambda: 60).copy(version, "a" * 64)
    start, first, *_, last, end = s3.calls
    assert (start["Key"], start["ChecksumAlgorithm"]) == (f"sales/evidence/{'a' * 64}", "SHA256")
    assert [part["CopySourceRange"] for part in (first, last)] == ["bytes=0-536870911", "bytes=5368709120-5368709120"]
    assert first["CopySource"] == {"Bucket": "artifacts", "Key": "large", "VersionId": "v1"}
    assert [part["ChecksumSHA256"] for part in end["MultipartUpload"]["Parts"]] == [f"{n}" for n in range(1, 12)]
    assert end["IfNoneMatch"] == "*"
    assert (entry["sha256"], entry["version_id"]) == ("a" * 64, "v1")
