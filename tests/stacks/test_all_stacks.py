"""What holds for every template: how many resources, what it imports, and what is not in it."""

import json
import os

MOST_RESOURCES_OF_A_MODEL = 27


def test_a_model_adds_few_resources(model):
    assert len(model.resources) <= MOST_RESOURCES_OF_A_MODEL


def test_a_model_stack_imports_nothing_but_the_key(assembly):
    text = (assembly / "acme-prod-churn.template.json").read_text()
    (imported,) = {part.split('"')[1] for part in text.split('"Fn::ImportValue":')[1:]}
    assert imported.startswith("acme-prod-foundation:ExportsOutputFnGetAttEncryptionKey")
    assert "GetStackOutput" not in text


def test_templates_need_no_docker_and_hold_no_credentials(assembly):
    for path in assembly.glob("*.assets.json"):
        assert json.loads(path.read_text()).get("dockerImages") == {}, path
    assert not {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} & {
        word for path in assembly.glob("*.template.json") for word in path.read_text().split('"')
    }
    assert os.environ.get("AWS_ENDPOINT_URL") is None
