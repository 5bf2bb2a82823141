"""A person who runs commands of `model-factory` with the permissions that `model-factory policy` prints, and no other."""

import json
from contextlib import contextmanager

from typer.testing import CliRunner

from model_factory.ops.cli import app
from model_factory.ops.operations.policy import policy
from model_factory.ops.project import UsageError


@contextmanager
def auditor(live, folder, monkeypatch, command, *also):
    """Runs `command` as the role `auditor` of prod: a function of its arguments that returns exit code and output.

    In prod, or with `env=False` in all environments; in others than prod as an administrator. `also`: commands whose
    permissions it has besides.
    """
    names, iam = live.session.names, live.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": names.account}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    document = json.dumps(policy(names, [command, *also]))
    iam.put_role_policy(RoleName="auditor", PolicyName="commands", PolicyDocument=document)
    roles = {
        profile: f"arn:aws:iam::{account}:role/administrator"
        for profile, (account, _) in live.session.project.accounts.items()
    }
    lines = []
    for profile, role in (roles | {names.prefix: names.iam_arn("role/auditor")}).items():
        credentials = live.local.accounts.assume(role, "ada")
        lines += [f"[profile {profile}]", f"region = {names.region}"]
        lines += [f"{key.lower()} = {value}" for key, value in credentials.items()]
    (folder / "config").write_text("\n".join([*lines, ""]))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", live.local.endpoint_url)

    def run(*arguments, env=True):
        options = (*(("--env", "prod") if env else ()), "--project", str(live.root))
        done = CliRunner().invoke(app, [command, *arguments, *options])
        mistake = str(done.exception) if isinstance(done.exception, UsageError) else ""  # the program prints it
        return done.exit_code, done.stdout + done.stderr + mistake

    try:
        yield run
    finally:
        iam.delete_role_policy(RoleName="auditor", PolicyName="commands")
        iam.delete_role(RoleName="auditor")
