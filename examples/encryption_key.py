"""A KMS key whose policy lets EventBridge, CloudWatch alarms and CloudWatch Logs use it, and a bucket that it encrypts."""

from aws_cdk import App, Stack, aws_s3

from model_factory import EncryptionKey

app = App()
stack = Stack(app, "EncryptionKeyExample")
key = EncryptionKey(stack, "Encryption").key
aws_s3.Bucket(stack, "Reports", encryption=aws_s3.BucketEncryption.KMS, encryption_key=key, enforce_ssl=True)
app.synth()
