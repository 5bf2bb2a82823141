"""Constructs in a stack of the user's own: defaults, grants, imports by name, tokens and errors."""

import pytest
from aws_cdk import App, Aws, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Match, Template

from model_factory import (
    AlertsTopic,
    DataLake,
    EncryptionKey,
    EnvironmentNames,
    EnvironmentResources,
    FactoryFunction,
    IsolatedNetwork,
    PullRequestPipeline,
    SchedulerRole,
    TriggerQueue,
    UndeliveredQueue,
    VpcConfig,
    suppress,
)
from model_factory.assets import FUNCTIONS
from model_factory.config.delivery import Delivery

NAMES = EnvironmentNames("acme", "prod", "333333333333", "eu-west-1")


@pytest.fixture
def stack():
    return Stack(App(), "S")


@pytest.fixture
def role(stack):
    return iam.Role(stack, "User", assumed_by=iam.AccountRootPrincipal())


def policy_of(template):
    """Actions that policies of the user's role allow."""
    policies = template.find_resources(
        "AWS::IAM::Policy", {"Properties": {"Roles": [{"Ref": Match.string_like_regexp("User.*")}]}}
    )
    statements = [s for policy in policies.values() for s in policy["Properties"]["PolicyDocument"]["Statement"]]
    return {action for s in statements for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])}


def test_names_of_an_agnostic_stack_are_tokens(stack):
    names = EnvironmentNames.of(stack, factory="acme", environment="prod")
    assert stack.resolve(names.queue("retrain")) == "acme-prod-retrain.fifo"
    assert stack.resolve(names.arn("sqs", "queue")) == stack.resolve(
        f"arn:{Aws.PARTITION}:sqs:{Aws.REGION}:{Aws.ACCOUNT_ID}:queue"
    )
    assert stack.resolve(names.url_suffix) == {"Ref": "AWS::URLSuffix"}


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-west-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
    ],
)
def test_names_of_a_region_are_in_its_partition(region, partition, suffix):
    stack = Stack(App(), "S", env={"account": "333333333333", "region": region})
    names = EnvironmentNames.of(stack, factory="acme", environment="prod")
    assert names.bucket_arn("data") == f"arn:{partition}:s3:::acme-prod-data-333333333333-{region}"
    assert (names.partition, names.url_suffix) == (partition, suffix)


def test_log_groups_in_china_use_the_key_of_their_region():
    stack = Stack(App(), "S", env={"account": "333333333333", "region": "cn-north-1"})
    EncryptionKey(stack, "Encryption")
    statement = {"Sid": "LogGroups", "Principal": {"Service": "logs.cn-north-1.amazonaws.com.cn"}}
    Template.from_stack(stack).has_resource_properties(
        "AWS::KMS::Key", {"KeyPolicy": {"Statement": Match.array_with([Match.object_like(statement)])}}
    )


def test_queue_without_topic_has_alarm_without_action(stack):
    TriggerQueue(stack, "Queue")
    UndeliveredQueue(stack, "Undelivered")
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::CloudWatch::Alarm", 3)
    template.all_resources_properties(
        "AWS::CloudWatch::Alarm", {"AlarmActions": Match.absent(), "AlarmName": Match.absent()}
    )


def test_alarm_publishes_to_the_given_topic(stack):
    topic = sns.Topic(stack, "Topic")
    TriggerQueue(stack, "Queue", alarm_topic=topic)
    FactoryFunction(stack, "Retrain", source=FUNCTIONS / "retrain", alarm_topic=topic)
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::CloudWatch::Alarm", 3)
    template.all_resources_properties("AWS::CloudWatch::Alarm", {"AlarmActions": [stack.resolve(topic.topic_arn)]})


def test_constructs_share_a_key_that_services_may_use(stack):
    key = kms.Key(stack, "Key")
    AlertsTopic(stack, "Alerts", key=key)
    TriggerQueue(stack, "Queue", key=key)
    FactoryFunction(stack, "Retrain", source=FUNCTIONS / "retrain", key=key)
    DataLake(stack, "DataLake", key=key)
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::KMS::Key", 1)
    services = [
        {"Principal": {"Service": "events.amazonaws.com"}},
        {"Principal": {"Service": "cloudwatch.amazonaws.com"}},
        {"Sid": "LogGroups"},
    ]
    for service in services:
        template.has_resource_properties(
            "AWS::KMS::Key", {"KeyPolicy": {"Statement": Match.array_with([Match.object_like(service)])}}
        )


def test_data_lake_grants_include_its_key(stack, role):
    DataLake(stack, "DataLake").grant_read(role)
    actions = policy_of(Template.from_stack(stack))
    assert {"s3:GetObject*", "s3:List*", "kms:Decrypt"} <= actions
    assert not any("Put" in action or "Delete" in action for action in actions)


def test_data_lake_grants_writing(stack, role):
    DataLake(stack, "DataLake").grant_read_write(role)
    assert {"s3:GetObject*", "s3:PutObject", "kms:GenerateDataKey*"} <= policy_of(Template.from_stack(stack))


def test_trigger_queue_grants_sending(stack, role):
    TriggerQueue(stack, "Queue").grant_send_messages(role)
    actions = policy_of(Template.from_stack(stack))
    assert {"sqs:SendMessage", "kms:GenerateDataKey*"} <= actions
    assert "sqs:ReceiveMessage" not in actions


def test_function_grants_invocation(stack, role):
    FactoryFunction(stack, "Retrain", source=FUNCTIONS / "retrain").grant_invoke(role)
    assert policy_of(Template.from_stack(stack)) == {"lambda:InvokeFunction"}


def test_key_grants_decryption(stack, role):
    EncryptionKey(stack, "Encryption").grant_decrypt(role)
    assert policy_of(Template.from_stack(stack)) == {"kms:Decrypt"}


def test_metrics_are_those_of_the_queue(stack):
    queue = TriggerQueue(stack, "Queue")
    dead_letters = queue.metric_dead_letters()
    assert dead_letters.metric_name == "ApproximateNumberOfMessagesVisible"
    assert stack.resolve(dead_letters.dimensions) == {"QueueName": stack.resolve(queue.dead_letters.queue_name)}
    assert queue.metric_age_of_oldest_message().metric_name == "ApproximateAgeOfOldestMessage"
    function = FactoryFunction(stack, "Retrain", source=FUNCTIONS / "retrain")
    assert function.metric_errors(statistic="Sum").metric_name == "Errors"


def test_rule_sends_undelivered_events_to_the_given_queue(stack):
    queue = sqs.Queue(stack, "DeadLetters")
    topic = AlertsTopic(stack, "Alerts", dead_letter_queue=queue)
    rule = topic.add_notification_rule(
        "Failed",
        description="Failed jobs",
        pattern={"source": ["aws.sagemaker"]},
        facts={"job": "$.job"},
        sentence="<job>",
    )
    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::Events::Rule",
        {
            "Name": Match.absent(),
            "Targets": [Match.object_like({"DeadLetterConfig": {"Arn": stack.resolve(queue.queue_arn)}})],
        },
    )
    source = {"ArnEquals": {"aws:SourceArn": stack.resolve(rule.attr_arn)}}
    template.has_resource_properties(
        "AWS::SQS::QueuePolicy",
        {"PolicyDocument": {"Statement": Match.array_with([Match.object_like({"Condition": source})])}},
    )


def test_schedules_may_send_to_the_given_queues_only(stack):
    queue = sqs.Queue(stack, "Queue")
    SchedulerRole(stack, "Scheduler", queues=[queue])
    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::IAM::Role", {"Policies": Match.absent(), "RoleName": Match.absent()})
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": [Match.object_like({"Effect": "Allow", "Resource": stack.resolve(queue.queue_arn)})]
            }
        },
    )


def test_vpc_config_takes_private_subnets_and_its_own_security_group(stack):
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    config = VpcConfig.from_vpc(vpc)
    assert list(config.subnets) == [subnet.subnet_id for subnet in vpc.private_subnets]
    assert VpcConfig.from_vpc(vpc) == config
    Template.from_stack(stack).resource_count_is("AWS::EC2::SecurityGroup", 1)


def test_vpc_config_takes_the_given_subnets_and_security_groups(stack):
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["a", "b"], isolated_subnet_ids=["subnet-1", "subnet-2"]
    )
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    isolated = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    config = VpcConfig.from_vpc(vpc, subnets=isolated, security_groups=[group])
    assert config == VpcConfig(("subnet-1", "subnet-2"), ("sg-1",), account="*")


def test_function_runs_in_the_isolated_network(stack):
    network = IsolatedNetwork(stack, "Network")
    FactoryFunction(stack, "Retrain", source=FUNCTIONS / "retrain", vpc=network.vpc)
    Template.from_stack(stack).has_resource_properties(
        "AWS::Lambda::Function",
        {"VpcConfig": {"SecurityGroupIds": [stack.resolve(network.security_group.security_group_id)]}},
    )


def test_instances_of_one_training_reach_each_other_in_isolated_network(stack):
    IsolatedNetwork(stack, "Network", peers=True)
    groups = Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroup").values()
    (workloads,) = (each["Properties"] for each in groups if each["Properties"]["GroupDescription"].startswith("Jobs"))
    inside = [rule for rule in workloads["SecurityGroupEgress"] if rule["CidrIp"] == "10.0.0.0/16"]
    assert workloads["SecurityGroupIngress"] == inside
    ports = [(rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort")) for rule in inside]
    assert ports == [("tcp", 0, 65535), ("udp", 500, 500), ("50", None, None)]


def test_isolated_network_allows_code_bucket_of_app_qualifier():
    app = App(context={"@aws-cdk/core:bootstrapQualifier": "tooling"})
    stack = Stack(app, "S", env=Environment(account=NAMES.account, region=NAMES.region))
    IsolatedNetwork(stack, "Network", names=NAMES, key=kms.Key(stack, "Key"))
    endpoints = Template.from_stack(stack).find_resources("AWS::EC2::VPCEndpoint")
    read = [
        s["Resource"]
        for e in endpoints.values()
        for s in e["Properties"].get("PolicyDocument", {"Statement": []})["Statement"]
    ]
    assert "arn:aws:s3:::cdk-tooling-assets-333333333333-eu-west-1/*" in read


def test_resources_are_imported_by_their_names(stack):
    key = kms.Key(stack, "Key")
    resources = EnvironmentResources.from_names(stack, NAMES, key=key)
    assert resources.data_bucket.bucket_arn == "arn:aws:s3:::acme-prod-data-333333333333-eu-west-1"
    assert resources.alarm_topic.topic_arn == "arn:aws:sns:eu-west-1:333333333333:acme-prod-alerts"
    assert resources.retrain_queue.queue_arn == "arn:aws:sqs:eu-west-1:333333333333:acme-prod-retrain.fifo"
    assert resources.retrain_queue.fifo is True
    assert resources.undelivered_queue.queue_arn == "arn:aws:sqs:eu-west-1:333333333333:acme-prod-undelivered"
    assert resources.scheduler_role.role_arn == "arn:aws:iam::333333333333:role/acme-prod-scheduler-euw1"
    cleanup = "arn:aws:lambda:eu-west-1:333333333333:function:acme-prod-endpoint-cleanup"
    assert resources.endpoint_cleanup.function_arn == cleanup
    assert list(Template.from_stack(stack).to_json()["Resources"]) == [stack.get_logical_id(key.node.default_child)]


def test_imported_data_lake_grants_with_the_given_key(stack, role):
    DataLake.from_names(stack, "DataLake", NAMES, key=kms.Key(stack, "Key")).grant_read(role)
    assert {"s3:GetObject*", "kms:Decrypt"} <= policy_of(Template.from_stack(stack))


def test_key_of_an_environment_is_imported_by_its_alias(stack):
    assert EncryptionKey.from_names(stack, "Key", NAMES).key_id == "alias/acme-prod"


def test_missing_function_folder_is_an_error_at_synth(stack, tmp_path):
    with pytest.raises(ValueError, match=r"S/Score: source.*no-such-folder"):
        FactoryFunction(stack, "Score", source=tmp_path / "no-such-folder")


def test_codecommit_has_no_pull_request_pipeline(stack):
    delivery = Delivery(account="222222222222", region="eu-west-1", source="codecommit", repository="models")
    with pytest.raises(ValueError, match=r"S/PullRequests: delivery\.source is 'codecommit'"):
        PullRequestPipeline(stack, "PullRequests", delivery=delivery)


def test_suppression_needs_a_resource(stack):
    with pytest.raises(TypeError, match="S: construct is Stack, which has no CloudFormation resource of its own"):
        suppress(stack, {"W3005": "reason"})
