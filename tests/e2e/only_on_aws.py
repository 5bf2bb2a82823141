"""Permissions that the loop on the embedded AWS does not need, because what needs them is not part of it, and why.

By holder (a role by what follows `<factory>-<environment>-`, or what the policy hangs on), and action or principal.
`test_permissions.py` fails when an entry is not deployed, or is used after all.
"""

TRACES = "Lambda's own agent sends the traces of functions with active tracing; the embedded AWS has no X-Ray."
SCALING = (
    "Application Auto Scaling asks of who registers a variant for what it looks at and changes itself later, and for "
    "its service-linked role at the first use in an account (SageMaker developer guide, 'Configure model auto scaling')."
)
LOGS = "CloudWatch Logs encrypts the functions' log groups by itself; the embedded AWS keeps logs in memory."
ACCESS_LOGS = "S3 delivers its access logs by itself; the embedded AWS writes none."
INTERFACES = (
    "Lambda and SageMaker make network interfaces in the role's name when something runs in a network (developer guides, "
    "'Giving Lambda functions access to resources in an Amazon VPC', 'SageMaker roles'); here a network has no interfaces."
)
CONNECTIONS = "EC2 writes the flow log by itself; here no connection passes a network."
ANSWERS = "A custom resource answers CloudFormation through S3; here it answers the embedded AWS itself."

_NETWORK_PARTS = [
    f"arn:aws:ec2:eu-west-1:ACCOUNT:{part}" for part in ("network-interface/*", "subnet/ID", "security-group/ID")
]
_MAKES_INTERFACES = [
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    *_NETWORK_PARTS,
]
_AS_A_FUNCTION = ["ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
_AS_A_CONTAINER = [
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterfacePermission",
    *(f"ec2:Describe{what}" for what in ("DhcpOptions", "SecurityGroups", "Vpcs")),
]

ONLY_ON_AWS: dict[tuple[str, str], str] = {
    **{
        (role, action): TRACES
        for role in ("retrain", "deploy", "endpoint-cleanup")
        for action in ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
    },
    ("deploy", "sagemaker:UpdateEndpointWeightsAndCapacities"): SCALING,
    ("deploy", "iam:CreateServiceLinkedRole"): SCALING,
    **{
        ("key/LogGroups", f"kms:{action}"): LOGS
        for action in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")
    },
    ("bucket logs", "s3:PutObject"): ACCESS_LOGS,
    **{
        (role, value): INTERFACES
        for role in ("retrain", "deploy", "endpoint-cleanup")
        for value in (*_MAKES_INTERFACES, *_AS_A_FUNCTION)
    },
    **{
        (role, value): INTERFACES
        for role in ("sales-train-job", "sales-monitor-job", "sales-endpoint")
        for value in (*_MAKES_INTERFACES, *_AS_A_CONTAINER)
    },
    **{
        ("network-log", value): CONNECTIONS
        for value in (
            "logs:CreateLogStream",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
            "arn:aws:logs:eu-west-1:ACCOUNT:log-group:/aws/vpc/PREFIX",
            "arn:aws:logs:eu-west-1:ACCOUNT:log-group:/aws/vpc/PREFIX:*",
        )
    },
    ("way out s3/Answers", "s3:PutObject"): ANSWERS,
}
