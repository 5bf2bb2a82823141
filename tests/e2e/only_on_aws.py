"""Permissions that the loop on the embedded AWS does not need, because what needs them is not part of it, and why.

By role (what follows `<factory>-<environment>-`; `*` is any model) and action. `test_permissions.py` fails when an entry
is not deployed, or is used after all.
"""

TRACES = "Lambda's own agent sends the traces of functions with active tracing; the embedded AWS has no X-Ray."
SCALING = (
    "Application Auto Scaling asks of who registers a variant for what it looks at and changes itself later, and for "
    "its service-linked role at the first use in an account (SageMaker developer guide, 'Configure model auto scaling')."
)

ONLY_ON_AWS: dict[tuple[str, str], str] = {
    **{
        (role, action): TRACES
        for role in ("retrain", "deploy", "endpoint-cleanup")
        for action in ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
    },
    ("deploy", "sagemaker:DescribeEndpointConfig"): SCALING,
    ("deploy", "sagemaker:UpdateEndpointWeightsAndCapacities"): SCALING,
    ("deploy", "iam:CreateServiceLinkedRole"): SCALING,
}
