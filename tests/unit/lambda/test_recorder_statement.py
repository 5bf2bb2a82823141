"""The bill of materials of a version, and the signed statement about its files."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .training_files import FACTS, Kms, digest


@pytest.fixture
def bill(recorder_modules):
    return lambda **more: _bill(recorder_modules.sbom, **more)


def _bill(sbom, **more):
    facts = {"train_facts": FACTS, "evaluate_facts": {"libraries": {"numpy": "2.5.1", "boto3": "1.42.0"}}}
    given = {
        "model": "sales",
        "version": 7,
        "artifact": "a" * 64,
        "image": "i@sha256:1",
        "time": "2026-11-26T00:00:00Z",
    }
    return sbom.bill_of_materials(facts, **(given | more))


def test_bill_of_materials_lists_loaded_libraries(bill):
    found = bill()
    libraries = {each["name"]: each for each in found["components"] if each["type"] == "library"}
    assert list(libraries) == ["boto3", "numpy", "scikit_learn"]
    assert libraries["scikit_learn"]["purl"] == "pkg:pypi/scikit-learn@1.9.0"
    assert libraries["numpy"]["properties"][0]["value"] == "train, evaluate"
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    assert found["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert found == bill()


def test_version_without_facts_has_no_bill_of_materials(recorder_modules):
    assert (
        recorder_modules.sbom.bill_of_materials({}, model="sales", version=1, artifact=None, image="i", time="t")
        is None
    )


def test_statement_is_signed_over_all_files(recorder_modules):
    evidence = {each: {"sha256": digest(each.encode())} for each in ("sbom", "artifact", "signature")}
    payload = recorder_modules.statement.statement(evidence, model="sales", version=7, subject="arn:package/7")
    bundle, public_key = recorder_modules.statement.sign(payload, Kms(), "key")
    signed = json.loads(payload)
    assert bundle.startswith(b'{\n "mediaType"'), "people read it: one line for each member"
    assert [each["name"] for each in signed["predicate"]["resources"]] == ["artifact", "sbom"]
    both = bytes.fromhex(digest(b"artifact")) + bytes.fromhex(digest(b"sbom"))
    assert signed["subject"] == [{"name": "sales@7", "digest": {"sha256": digest(both)}}]
    envelope = json.loads(bundle)["dsseEnvelope"]
    encoded = recorder_modules.statement.pre_authentication_encoding(base64.b64decode(envelope["payload"]))
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    serialization.load_pem_public_key(public_key).verify(signature, encoded, ec.ECDSA(hashes.SHA256()))
