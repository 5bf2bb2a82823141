"""Stopping the embedded AWS leaves no process behind."""

import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[4]
START_AND_STOP = """
import io, json, os, pathlib, sys, tarfile, time
import boto3
from local_aws.server import LocalAws

folder = pathlib.Path(sys.argv[1])
with LocalAws(folder) as local:
    made = dict(endpoint_url=local.endpoint_url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    s3, sagemaker = boto3.client("s3", **made), boto3.client("sagemaker", **made)
    s3.create_bucket(Bucket="bucket")
    code = f"import os, pathlib, time; pathlib.Path({str(folder / 'pid')!r}).write_text(str(os.getpid())); time.sleep(60)"
    serve = io.BytesIO()
    with tarfile.open(fileobj=serve, mode="w:gz") as tar:
        entry = tarfile.TarInfo("code/serve.py")
        entry.size = len(code)
        tar.addfile(entry, io.BytesIO(code.encode()))
    s3.put_object(Bucket="bucket", Key="model.tar.gz", Body=serve.getvalue())
    document = lambda **statement: json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
    trust = document(Principal={"Service": "sagemaker.amazonaws.com"}, Action="sts:AssumeRole")
    iam = boto3.client("iam", **made)
    role = iam.create_role(RoleName="jobs", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="jobs", PolicyName="s3", PolicyDocument=document(Action="s3:*", Resource="*"))
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": "i",
        "ModelDataUrl": "s3://bucket/model.tar.gz", "Environment": {"SAGEMAKER_PROGRAM": "serve.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}})
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    while not (folder / "pid").exists() or not (folder / "pid").read_text():
        time.sleep(0.05)
"""


def test_starting_container_is_ended_at_server_stop(tmp_path):
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", START_AND_STOP, str(tmp_path)], check=True, env=environment, timeout=300)
    container = pathlib.Path("/proc") / (tmp_path / "pid").read_text()
    end = time.monotonic() + 60
    while container.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not container.exists()
