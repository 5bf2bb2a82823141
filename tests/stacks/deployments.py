"""Synthesized templates deployed into the embedded AWS in this process, without the CDK CLI."""

import io
import json
import zipfile

from botocore.config import Config

# The code of every function: it does nothing, and answers to CloudFormation.
_CODE = """
import json, urllib.request
def handler(event, context):
    name = next(iter(value for key, value in event["ResourceProperties"].items() if key.endswith("Name")))
    body = json.dumps({"Status": "SUCCESS", "PhysicalResourceId": name}).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], data=body, method="PUT"))
"""


class Deployments:
    """Stacks of one account and region."""

    def __init__(self, local, account, region):
        self.session, self.account, self.region = local.session(account, region), account, region
        self.cloudformation = self.client("cloudformation")
        self.assets = f"cdk-hnb659fds-assets-{account}-{region}"
        self._bootstrap()

    def client(self, service):
        return self.session.client(service, config=Config(retries={"total_max_attempts": 1}))

    def put(self, name, template):
        """Create or update a stack; its status and the reasons of failures."""
        content = json.loads(template)
        for resource in content["Resources"].values():
            if resource["Type"] == "AWS::Lambda::Function":
                self._upload(resource["Properties"]["Code"]["S3Key"])
        exists = [each for each in self._stacks() if each["StackName"] == name]
        call = self.cloudformation.update_stack if exists else self.cloudformation.create_stack
        # As the CDK CLI does it: most of these are larger than a TemplateBody may be.
        self.client("s3").put_object(Bucket=self.assets, Key=f"{name}.json", Body=template.encode())
        call(StackName=name, TemplateURL=f"https://{self.assets}.s3.{self.region}.amazonaws.com/{name}.json")
        return self._outcome(name)

    def delete(self, name):
        (stack,) = [each["StackId"] for each in self._stacks() if each["StackName"] == name]
        self.cloudformation.delete_stack(StackName=stack)
        return self._outcome(stack)

    def _outcome(self, name):
        status = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        events = self.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        reasons = [event.get("ResourceStatusReason") for event in events]
        return status, [reason for reason in reasons[: reasons.index("User Initiated")] if reason]

    def _stacks(self):
        found = self.cloudformation.list_stacks()["StackSummaries"]
        return [each for each in found if each["StackStatus"] != "DELETE_COMPLETE"]

    def _bootstrap(self):
        """What the templates expect of `cdk bootstrap`, and the policy that tests/stacks name as boundary."""
        where = {} if self.region == "us-east-1" else {"LocationConstraint": self.region}
        more = {"CreateBucketConfiguration": where} if where else {}
        self.client("s3").create_bucket(Bucket=self.assets, **more)
        version = {"Name": "/cdk-bootstrap/hnb659fds/version", "Value": "28", "Type": "String"}
        self.client("ssm").put_parameter(**version)
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam = self.client("iam")
        if not iam.list_policies(Scope="Local")["Policies"]:
            iam.create_policy(PolicyName="Bounds", PolicyDocument=json.dumps(everything))

    def _upload(self, key):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("handler.py", _CODE)
        self.client("s3").put_object(Bucket=self.assets, Key=key, Body=content.getvalue())
