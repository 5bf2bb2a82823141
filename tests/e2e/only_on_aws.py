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
}
