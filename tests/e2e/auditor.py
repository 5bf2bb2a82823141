"""A person who runs commands of `model-factory` with the permissions that `model-factory policy` prints, and no other."""

import json
from contextlib import contextmanager

from typer.testing import CliRunner

from model_factory.ops.cli import app
from model_factory.ops.operations.policy import policy


@contextmanager
def auditor(live, folder, monkeypatch, command, *also):
    """Runs `command` in prod as the role `auditor`: a function of its arguments that returns exit code and output.

    `also`: further commands whose permissions it has.
    """
    names, iam = live.session.names, live.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": names.account}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    iam.put_role_policy(
        RoleName="auditor", PolicyName="commands", PolicyDocument=json.dumps(policy(names, [command, *also]))
    )
    credentials = live.local.accounts.assume(names.iam_arn("role/auditor"), "ada")
    pairs = [f"{key.lower()} = {value}" for key, value in credentials.items()]
    (folder / "config").write_text("\n".join(["[profile auditor]", f"region = {names.region}", *pairs, ""]))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", live.local.endpoint_url)

    def run(*arguments):
        options = ("--env", "prod", "--project", str(live.root), "--profile", "auditor")
        done = CliRunner().invoke(app, [command, *arguments, *options])
        return done.exit_code, done.stdout + done.stderr

    try:
        yield run
    finally:
        iam.delete_role_policy(RoleName="auditor", PolicyName="commands")
        iam.delete_role(RoleName="auditor")
