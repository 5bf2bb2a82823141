"""A VPC without internet access, and a function of your own in it."""

from aws_cdk import App, Stack, aws_lambda

from model_factory import IsolatedNetwork, suppress

app = App()
stack = Stack(app, "IsolatedNetworkExample")
network = IsolatedNetwork(stack, "Network")
check = aws_lambda.Function(
    stack,
    "Check",
    runtime=aws_lambda.Runtime.PYTHON_3_14,
    handler="index.handler",
    code=aws_lambda.Code.from_inline("def handler(event, context):\n    return 'ok'\n"),
    vpc=network.ec2_vpc,
    security_groups=[network.security_group],
)
suppress(check, {"W3005": "CDK's own construct writes the dependency on the role, though its ARN implies it."})
app.synth()
