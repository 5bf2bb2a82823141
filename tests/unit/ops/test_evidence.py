"""`model-factory verify`: a version's evidence against its record, its bill of materials and its signature."""

import base64
import hashlib
import json
import random

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from model_factory.ops.records import evidence as module

SUBJECT = "arn:aws:sagemaker:eu-west-1:111111111111:model-package/acme-prod-sales/7"
PAYLOAD_TYPE = module.PAYLOAD_TYPE


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def entries(files: dict[str, bytes]) -> dict:
    return {name: {"sha256": digest(body), "size": len(body), "source": "s3://x"} for name, body in files.items()}


def make_files(key: ec.EllipticCurvePrivateKey, subject: str = SUBJECT) -> dict[str, bytes]:
    facts = {"libraries": {"numpy": "2.5.1"}}
    bill = {
        "bomFormat": "CycloneDX",
        "metadata": {"component": {"hashes": [{"content": digest(b"artifact")}]}},
        "components": [{"name": "numpy", "version": "2.5.1"}],
    }
    files = {
        "artifact": b"artifact",
        "test/part-0.parquet": b"rows",
        "train_facts": json.dumps(facts).encode(),
        "sbom": json.dumps(bill).encode(),
    }
    resources = [{"name": name, "digest": digest(body)} for name, body in files.items()]
    payload = json.dumps({"predicate": {"resources": resources, "model_package": subject}}).encode()
    encoded = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    signature = key.sign(encoded, ec.ECDSA(hashes.SHA256()))
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"sig": base64.b64encode(signature).decode()}],
    }
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    more = {"statement": payload, "signature": json.dumps({"dsseEnvelope": envelope}).encode(), "public_key": public}
    return files | more


KEY = ec.generate_private_key(ec.SECP256R1())
FILES = make_files(KEY)
RECORD = {"subject": SUBJECT, "evidence": entries(FILES), "facts": {"artifact_digest": digest(b"artifact")}}


@pytest.fixture
def problems(tmp_path):
    """Verifies files, and gives what is wrong by name."""

    def problems(files=None, record=RECORD, public_key=None) -> dict[str, str]:
        folder = tmp_path / "evidence"
        for name, body in (FILES if files is None else files).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(body)
        checks = module.verify(record, module.folder_files(folder), public_key)
        return {check.name: check.problem for check in checks if check.problem}

    return problems


def test_untouched_evidence_has_no_problem(problems):
    assert problems() == {}


@pytest.mark.parametrize("trials", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_altered_files_are_named(problems, tmp_path, trials):
    problems()
    random.seed(0)  # other files each time would find rare faults in somebody else's change
    opened = module.folder_files(tmp_path / "evidence")
    for _ in range(trials):
        name = random.choice(sorted(FILES))
        body = bytearray(FILES[name])
        body[random.randrange(len(body))] ^= random.randrange(1, 256)
        (tmp_path / "evidence" / name).write_bytes(body)
        found = [check.name for check in module.verify(RECORD, opened) if check.problem]
        (tmp_path / "evidence" / name).write_bytes(FILES[name])
        assert name in found


def test_missing_file_is_named(problems):
    without = {name: body for name, body in FILES.items() if name != "artifact"}
    assert problems(without)["artifact"] == "the file is missing"


def test_file_and_record_altered_together_break_signature(problems):
    files = FILES | {"test/part-0.parquet": b"other rows"}
    record = RECORD | {"evidence": entries(files)}
    assert problems(files, record) == {"signature": "the signed statement and the record differ in test/part-0.parquet"}


def test_signature_of_other_key_is_refused(problems):
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = other.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert problems(public_key=der)["signature"] == "the statement was not signed by this key, or was altered"


def test_signature_of_other_version_is_refused(problems):
    files = make_files(KEY, SUBJECT.replace("/7", "/6"))
    assert "is about" in problems(files, RECORD | {"evidence": entries(files)})["signature"]


def test_library_left_out_of_bill_is_named(problems):
    files = FILES | {"train_facts": json.dumps({"libraries": {"numpy": "2.5.1", "evil": "1"}}).encode()}
    found = problems(files, RECORD | {"evidence": entries(files)})
    assert found["bill of materials"] == "evil 1 was loaded and is not in it"


def test_other_artifact_than_registered_is_named(problems):
    record = RECORD | {"facts": {"artifact_digest": "0" * 64}}
    assert "was evaluated and registered" in problems(record=record)["artifact and evaluation"]


def test_files_that_were_not_kept_are_named(problems):
    record = RECORD | {"facts": {"missing": {"code": "s3://assets/1.zip does not exist"}}}
    assert problems(record=record) == {"code": "it was not kept: s3://assets/1.zip does not exist"}


def test_name_outside_of_folder_is_not_opened(tmp_path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "evidence").mkdir()
    assert module.folder_files(tmp_path / "evidence")("../secret") is None
