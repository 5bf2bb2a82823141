"""cdk-nag's three packs, cfn-lint and checkov on every template of three factories with every feature; nothing is found."""

import json

import pytest

from tools import security

BROKEN = {
    "Resources": {
        "Open": {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicRead"}},
        "Wrong": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": "soon"}},
        "Twice": {
            "Type": "AWS::SQS::QueueInlinePolicy",
            "DependsOn": "Wrong",
            "Properties": {"Queue": {"Ref": "Wrong"}},
        },
    }
}


@pytest.fixture
def with_a_broken_one(templates, tmp_path):
    broken = tmp_path / "broken.template.json"
    broken.write_text(json.dumps(BROKEN))
    return [*templates, broken]


def test_cdk_nag_finds_nothing_that_is_not_accepted_with_a_reason(synthesized):
    found = security.nag_violations(synthesized)
    assert {each.pack for each in found} == set(security.PACKS)
    in_a_stage = "/acme-live-foundation/"  # of a delivered environment
    assert any(in_a_stage in each.path for each in found)
    own_pipeline = "acme-vault-ratings/Training/"
    assert {each.pack for each in found if each.path.startswith(own_pipeline)} == set(security.PACKS)
    assert [str(finding) for finding in security.nag_findings(synthesized)] == []


def test_cdk_nag_finds_what_is_broken_on_purpose(tmp_path):
    from aws_cdk import App, Stack
    from aws_cdk import aws_s3 as s3

    app = App(outdir=str(tmp_path), context=security.REPORT_ONLY, analytics_reporting=False)
    s3.CfnBucket(Stack(app, "broken"), "Open")
    security.add_packs(app)
    app.synth()
    rules = {each.rule for each in security.nag_findings(tmp_path)}
    assert rules >= {
        "AwsSolutions-S1",
        "NIST.800.53.R5-S3BucketVersioningEnabled",
        "PCI.DSS.321-S3BucketVersioningEnabled",
    }


def is_typical(template):
    """One template of each kind, with the most features; cfn-lint takes seconds for each."""
    return template.name in (
        "acme-delivery.template.json",
        "acme-vault-foundation.template.json",
        "acme-vault-churn.template.json",
    )


def lint(templates):
    return [str(finding) for finding in security.cfn_lint_findings(templates)]


def test_cfn_lint_finds_nothing_in_typical_templates(templates):
    typical = [each for each in templates if is_typical(each)]
    assert len(typical) == 3
    assert lint(typical) == []


@pytest.mark.slow
def test_cfn_lint_finds_nothing_in_other_templates(templates):
    assert lint([each for each in templates if not is_typical(each)]) == []


def test_cfn_lint_finds_what_is_broken_on_purpose(tmp_path):
    path = tmp_path / "broken.template.json"
    path.write_text(json.dumps(BROKEN))
    rules = {finding.rule for finding in security.cfn_lint_findings([path])}
    # W3005 is accepted by name on each function, so it is found on a resource that does not accept it.
    assert rules >= {"E3012", "W3005"}


@pytest.mark.slow
def test_checkov_finds_nothing_but_what_is_broken_on_purpose(with_a_broken_one):
    checked = security.checkov(with_a_broken_one)
    assert [str(each) for each in checked.findings if each.template != "broken.template.json"] == []
    assert any(each.rule == "CKV_AWS_20" for each in checked.findings)
    assert checked.passed > 600
    accepted = {(each.rule, each.resource) for each in security.suppressions(with_a_broken_one) if "CKV" in each.rule}
    assert accepted == checked.skipped


def test_every_accepted_finding_of_cdk_nag_is_one_that_it_has(synthesized, templates):
    found = {(each.rule, each.path, each.reason) for each in security.nag_violations(synthesized)}
    accepted = {(each.rule, each.path, each.reason) for each in security.suppressions(templates) if each.path}
    assert accepted == found


def test_a_finding_is_accepted_on_one_resource_and_with_a_reason(synthesized, templates):
    assert [each for each in security.nag_violations(synthesized) if each.at != each.path] == []
    assert [each for each in security.suppressions(templates) if len(each.reason) < 30] == []


def test_the_page_of_accepted_findings_is_what_the_templates_say(templates):
    page = security.suppressions_page(templates)
    assert security.SUPPRESSIONS.read_text() == page, "out of date: run `python tools/security.py --write`"
