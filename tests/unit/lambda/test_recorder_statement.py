"""The bill of materials of a version, the signed statement about its files, and values of records."""

import base64
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

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
    assert (found["bomFormat"], found["specVersion"], found["version"]) == ("CycloneDX", "1.6", 1)
    assert found["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert found == bill()


@pytest.mark.parametrize("libraries", [None, ["numpy"], "numpy"])
def test_facts_without_libraries_are_left_out(recorder_modules, libraries):
    """An own image may have written anything."""
    facts = {"train_facts": {"libraries": libraries}, "evaluate_facts": FACTS}
    given = {
        "model": "sales",
        "version": 7,
        "artifact": "a" * 64,
        "image": "i@sha256:1",
        "time": "2026-11-26T00:00:00Z",
    }
    found = recorder_modules.sbom.bill_of_materials(facts, **given)
    assert [each["name"] for each in found["components"] if each["type"] == "library"] == ["numpy", "scikit_learn"]


def test_public_key_has_lines_of_64_characters(recorder_modules):
    lines = recorder_modules.statement.pem(bytes(range(100))).decode().splitlines()
    assert (lines[0], lines[-1]) == ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----")
    assert [len(line) for line in lines[1:-1]] == [64, 64, 8]


def test_version_without_facts_has_no_bill_of_materials(recorder_modules):
    assert (
        recorder_modules.sbom.bill_of_materials({}, model="sales", version=1, artifact=None, image="i", time="t")
        is None
    )


def test_bill_without_artifact_and_python_leaves_both_out(recorder_modules):
    facts = {"train_facts": {"libraries": {"Own_Lib": "1.0+cpu"}}}
    found = recorder_modules.sbom.bill_of_materials(facts, model="m", version=1, artifact=None, image="i", time="t")
    assert "hashes" not in found["metadata"]["component"]
    assert [each["bom-ref"] for each in found["components"]] == ["image:i", "pkg:pypi/own-lib@1.0%2Bcpu"]
    assert found["dependencies"] == [{"ref": "m@1", "dependsOn": ["image:i", "pkg:pypi/own-lib@1.0%2Bcpu"]}]


def test_statement_is_signed_over_all_files(recorder_modules):
    evidence = {each: {"sha256": digest(each.encode())} for each in ("sbom", "artifact", "signature")}
    payload = recorder_modules.statement.statement(evidence, model="sales", version=7, subject="arn:package/7")
    bundle, public_key = recorder_modules.statement.sign(payload, Kms(), "key")
    signed = json.loads(payload)
    assert bundle.startswith(b'{\n "mediaType"'), "people read it: one line for each member"
    assert [each["name"] for each in signed["predicate"]["resources"]] == ["artifact", "sbom"]
    assert payload == json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()
    assert signed["predicate"]["serialization"] == {
        "method": "files",
        "hash_type": "sha256",
        "allow_symlinks": False,
        "ignore_paths": ["statement", "signature", "public_key", "record.json"],
    }
    both = bytes.fromhex(digest(b"artifact")) + bytes.fromhex(digest(b"sbom"))
    assert signed["subject"] == [{"name": "sales@7", "digest": {"sha256": digest(both)}}]
    envelope = json.loads(bundle)["dsseEnvelope"]
    encoded = recorder_modules.statement.pre_authentication_encoding(base64.b64decode(envelope["payload"]))
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    serialization.load_pem_public_key(public_key).verify(signature, encoded, ec.ECDSA(hashes.SHA256()))


def test_values_of_records_are_json(recorder_modules, modules):
    plain = modules("recorder", "plain")["plain"].plain
    noon = datetime(2026, 11, 24, 12, tzinfo=timezone(timedelta(hours=2)))
    assert plain({"time": noon, "value": float("nan"), "names": ("a", 1)}) == {
        "time": "2026-11-24T10:00:00+00:00",
        "value": "NaN",
        "names": ["a", 1],
    }
    assert plain({"path": Path("a")}) == {"path": "a"}
