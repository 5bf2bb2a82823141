"""Operations that other services call on a customer's behalf, and that policies allow for that reason."""

from ..rule import Entry, NotEnforced

ENTRIES: tuple[Entry, ...] = (
    NotEnforced(
        "ec2",
        "CreateNetworkInterface DeleteNetworkInterface DescribeNetworkInterfaces AssignPrivateIpAddresses "
        "UnassignPrivateIpAddresses CreateNetworkInterfacePermission DeleteNetworkInterfacePermission DescribeDhcpOptions "
        "DescribeSecurityGroups DescribeSubnets DescribeVpcs",
        "Subnets have free addresses, and a region has a quota of interfaces.",
        "Lambda developer guide: Giving Lambda functions access to resources in an Amazon VPC",
        "Lambda and SageMaker call it; here functions and jobs are processes without interfaces.",
    ),
    NotEnforced(
        "ecr",
        "BatchCheckLayerAvailability BatchGetImage GetAuthorizationToken GetDownloadUrlForLayer",
        "An image has the architecture and the size that the service takes.",
        "SageMaker developer guide: Custom Docker containers with SageMaker",
        "SageMaker calls it to pull an image; the embedded AWS checks the permission and pulls nothing.",
    ),
    NotEnforced(
        "iam",
        "CreateServiceLinkedRole",
        "An account has one role of a service.",
        "IAM API reference: CreateServiceLinkedRole",
        "Application Auto Scaling calls it at the first scalable target.",
    ),
    NotEnforced(
        "kms",
        "CreateGrant",
        "A key has at most 50,000 grants.",
        "KMS developer guide: Resource quotas",
        "Services call it; the embedded AWS checks the permission.",
    ),
    NotEnforced(
        "codebuild",
        "CreateReportGroup",
        "A project's reports belong to groups whose names begin with the project's.",
        "CodeBuild user guide: Test report permissions",
        "CodeBuild calls it when a buildspec has reports; ours have none.",
    ),
    NotEnforced(
        "xray",
        "PutTraceSegments PutTelemetryRecords",
        "Segments have up to 64 KB, and the trace id of at most 30 days ago.",
        "X-Ray API reference: PutTraceSegments",
        "Lambda's own agent sends them; functions of ours do not.",
    ),
)
