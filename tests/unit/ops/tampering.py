"""Signed records of two models, for tests that tamper with them."""

import json
import random
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from model_factory.functions.shared.chain import (
    chain_prefix,
    digest,
    encode,
    lineage_key,
)
from model_factory.functions.shared.heads import Head, document, heads_key, signature_key
from model_factory.ops.records.audit import Source, verify
from model_factory.ops.records.heads import Finding, PublicKey
from model_factory.ops.records.schema import parse

from .chains import ENVIRONMENT, FACTORY, MemoryObjects, write

MODELS = ("churn", "fraud", "")
_PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_PEM = _PRIVATE_KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
PUBLIC_KEY = PublicKey(PUBLIC_PEM, "the test's key")

type Chain = list[dict[str, Any]]


def sign_heads(objects: MemoryObjects, *, previous: tuple[str, str] | None = None) -> tuple[str, str]:
    """Write the heads of all chains as lambda/record_signer does; date and SHA-256 of the document."""
    objects.now += timedelta(minutes=1)
    chains = {model or "_environment": read(objects, model) for model in MODELS}
    heads = {name: Head(len(chain), digest(encode(chain[-1]))) for name, chain in chains.items() if chain}
    content = document(
        objects.now, heads, factory=FACTORY, environment=ENVIRONMENT, key="arn:aws:kms:…", previous=previous
    )
    key = heads_key(date := f"{objects.now:%Y-%m-%d}")
    objects.put(key, content)
    objects.put(signature_key(key), _PRIVATE_KEY.sign(content, ec.ECDSA(hashes.SHA256())))
    return date, digest(content)


def environment(random_: random.Random, records: int = 6) -> tuple[MemoryObjects, MemoryObjects]:
    """A records bucket with three chains and heads of two days, and the anchor with the copies of the heads."""
    objects, kinds = MemoryObjects(), ["training", "gate", "registration", "approval", "deployment", "alarm"]

    def more(model: str, count: int) -> None:
        for _ in range(count):
            number = random_.randrange(1, 9)
            change: dict[str, Any] = {"kind": random_.choice(kinds), "version": number}
            if random_.random() < 0.5 and model:
                change |= trained(objects, random_, model, number)
            write(objects, model, change, step=timedelta(minutes=7))

    for model in MODELS:
        more(model, records // 2)
    previous = sign_heads(objects)
    objects.now += timedelta(days=1)
    for model in MODELS:
        more(model, records - records // 2)
    sign_heads(objects, previous=previous)
    anchor = MemoryObjects()
    anchor.objects = {key: list(each) for key, each in objects.objects.items() if key.startswith("_heads/")}
    return objects, anchor


def trained(objects: MemoryObjects, random_: random.Random, model: str, number: int) -> dict[str, Any]:
    """The registration of a version with its evidence, whose markers are written before it."""
    execution = f"e{random_.randrange(10**9)}"
    read = [
        {"bucket": "data", "key": f"{model}/raw/{each}.csv", "version_id": f"v{random_.randrange(99)}", "rows": each}
        for each in range(random_.randrange(1, 4))
    ]
    for each in read:
        objects.put(lineage_key(f"s3://data/{each['key']}", each["version_id"], model, execution, number), b"")
    metadata = {"pipeline_execution": f"arn:aws:sagemaker:x:1:pipeline/p/execution/{execution}"}
    files = {"manifest": json.dumps({"objects": read}).encode(), "artifact": random_.randbytes(20)}
    return {"kind": "registration", "facts": {"CustomerMetadataProperties": metadata}, "evidence": files}


def read(objects: MemoryObjects, model: str) -> Chain:
    """The records of a chain, oldest first."""
    return [parse(objects.read(group[0].key) or b"") for group in objects.versions(chain_prefix(model))][::-1]


def findings(objects: MemoryObjects, anchor: MemoryObjects | None) -> list[Finding]:
    """What the audit finds."""
    copies = Source(anchor) if anchor else None
    report = verify(Source(objects), copies, PUBLIC_KEY, place=(FACTORY, ENVIRONMENT), now=objects.now)
    return [*report.findings, *(each for chain in report.chains for each in chain.findings)]
