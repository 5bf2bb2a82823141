"""Least privilege of the delivery roles: each permission is needed by a request of the other tests, which run before."""

import re
from dataclasses import replace

import pytest

from model_factory.ops.local.demo_delivery.workspace import TOOLING
from tests.e2e.recorder import Permission, Recorder, permissions

from .conftest import ENVIRONMENTS

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
# Lambda sends the traces of functions with active tracing; the embedded AWS has no X-Ray.
ONLY_ON_AWS = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
# A zip of code that is gone is 404 only for those who may list its bucket, and is read from evidence; none is gone here.
EVIDENCE = "arn:aws:s3:::ENVIRONMENT-records-ACCOUNT-REGION/*/evidence/*"
READ = (
    "arn:aws:s3:::ENVIRONMENT-artifacts-ACCOUNT-REGION/*/executions/*",
    EVIDENCE,
    "arn:aws:s3:::cdk-hnb659fds-assets-ACCOUNT-REGION/*.zip",
)
GONE_ZIP = {
    ("arn:aws:s3:::cdk-hnb659fds-assets-ACCOUNT-REGION", "s3:ListBucket"),
    ("arn:aws:s3:::ENVIRONMENT-records-ACCOUNT-REGION", "s3:ListBucket"),
    (" ".join(READ), EVIDENCE),
}
# Logs that are read when these builds fail; in the tests only the build of the source does.
OTHER_BUILDS = re.compile(r".*:log-group:/aws/codebuild/acme-delivery-DeliveryPipeline(UpdatePipeline|Assets)")


def unneeded(delivered, recorder: Recorder, where: list[tuple[str, str]]) -> set[Permission]:
    """Permissions that none of these roles (account and name) needs."""
    needed: dict[Permission, bool] = {}
    for account, name in where:

        def anonymous(value: str, account: str = account) -> str:
            value = re.sub(":key/.*", ":key/KEY", value.replace(account, "ACCOUNT"))
            value = re.sub("eu-(west|central)-1", "REGION", value)
            return re.sub("acme(-|/)(dev|staging|prod)", "ENVIRONMENT", value)

        arn, document = delivered.role(account, name)
        for each in permissions(name, document):
            # A statement is identified by its resources, because some environments have fewer statements.
            holder = " ".join(map(anonymous, document.statements[each.statement].resources))
            same = replace(each, holder=holder, statement=0, value=anonymous(each.value))
            needed[same] = needed.get(same, False) or recorder.needs(document, each, arn)
    assert len(needed) > 5
    return {permission for permission, is_needed in needed.items() if not is_needed}


def test_delivery_roles_of_environments_need_every_permission(live, recorder, smoke_failure):
    roles = [(one["account"], f"acme-{one['name']}-delivery") for one in ENVIRONMENTS]
    assert {(each.holder, each.value) for each in unneeded(live, recorder, roles)} == GONE_ZIP


def test_delivery_function_needs_every_permission(live, recorder, smoke_failure):
    rest = unneeded(live, recorder, [(TOOLING[0], "acme-delivery-tasks")])
    assert {each.value for each in rest if not OTHER_BUILDS.match(each.value)} == ONLY_ON_AWS
