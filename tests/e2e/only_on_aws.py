"""Permissions that AWS needs and the embedded AWS does not use, each with the reason.

Keys are the holder (see `recorder.Permission`) and the action, resource or principal. `test_permissions.py` fails when an
entry is not deployed, or when the embedded AWS uses it.
"""

TRACES = "Lambda sends the traces of functions with active tracing; the embedded AWS has no X-Ray."
LOGS = "CloudWatch Logs encrypts the functions' log groups with the key; the embedded AWS keeps logs in memory."
ACCESS_LOGS = "S3 delivers server access logs; the embedded AWS writes none."
NETWORK_INTERFACES = (
    "SageMaker creates network interfaces with the role's permissions in a VPC (developer guide, 'SageMaker roles'); the "
    "embedded AWS has no network interfaces."
)
FLOW_LOGS = "EC2 writes the VPC flow log; the embedded AWS has no network traffic in a VPC."
RESPONSES = "A custom resource responds to CloudFormation through S3; here it responds to the embedded AWS directly."

_NETWORK_RESOURCES = [
    f"arn:aws:ec2:eu-west-1:ACCOUNT:{part}" for part in ("network-interface/*", "subnet/ID", "security-group/ID")
]
_CREATE_INTERFACES = [
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    *_NETWORK_RESOURCES,
]
_CONTAINER_INTERFACES = [
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
    **{
        ("key/LogGroups", f"kms:{action}"): LOGS
        for action in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")
    },
    ("bucket logs", "s3:PutObject"): ACCESS_LOGS,
    **{
        (role, value): NETWORK_INTERFACES
        for role in ("sales-train-job", "sales-monitor-job", "sales-endpoint")
        for value in (*_CREATE_INTERFACES, *_CONTAINER_INTERFACES)
    },
    **{
        ("network-log", value): FLOW_LOGS
        for value in (
            "logs:CreateLogStream",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
            "arn:aws:logs:eu-west-1:ACCOUNT:log-group:/aws/vpc/PREFIX",
            "arn:aws:logs:eu-west-1:ACCOUNT:log-group:/aws/vpc/PREFIX:*",
        )
    },
    ("vpc endpoint s3/Answers", "s3:PutObject"): RESPONSES,
}
