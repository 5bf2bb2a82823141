"""Permissions that AWS needs and the embedded AWS does not use, each with the reason.

Keys are the holder (see `recorder.Permission`) and the action, resource or principal. `test_permissions.py` fails when an
entry is not deployed, or when the embedded AWS uses it.
"""

TRACES = "Lambda sends the traces of functions with active tracing; the embedded AWS has no X-Ray."
LOGS = "CloudWatch Logs' guide has the action in its key policy, but says of no call that needs it."
ACCESS_LOGS = "S3 delivers server access logs; the embedded AWS writes none."
FLOW_LOGS = "EC2 writes the VPC flow log; the embedded AWS has no network traffic in a VPC."
ASSETS_KEY = "The bucket of `cdk bootstrap` has a key only with an option that these tests do not use."
DELETE_OBJECTS = "S3's reference of DeleteObjects asks for it always; here a version needs s3:DeleteObjectVersion only."
GONE_ZIP = "A zip of code that is gone is 404 only for those who may list its bucket; none is gone here."
CARD_KEY = "SageMaker does not document what a model card's key asks of the caller; its other keys ask for it."
NO_BATCH_MODEL = (
    "Rules of models with mode batch send to it, which test_scoring.py does; no model of this test has the mode."
)
NO_CHALLENGER = "No model of this test has `serving.challenger`; test_trials.py ends trials with these permissions."
OTHER_FRAMEWORK = (
    "The version in service may have the image of an earlier `training.framework`; none has it in this test."
)
NO_QUEUE = (
    "No model of this test has `serving.mode: async`; test_async_serving.py puts the alarm from inside the network."
)
RESPONSES = "A custom resource responds to CloudFormation through S3; here it responds to the embedded AWS directly."

ONLY_ON_AWS: dict[tuple[str, str], str] = {
    **{
        (role, action): TRACES
        for role in (
            "retrain",
            "deploy",
            "recorder",
            "publisher",
            "score",
            "monitor",
            "record-signer",
            "alerts",
            "endpoint-cleanup",
            "bucket-cleanup",
        )
        for action in ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
    },
    ("key/LogGroups", "kms:DescribeKey"): LOGS,
    ("queue score.fifo/RulesOfThisFactory", "sqs:SendMessage"): NO_BATCH_MODEL,
    ("bucket logs", "s3:PutObject"): ACCESS_LOGS,
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
    **{
        (f"{role}/AssetsKey", "kms:Decrypt"): ASSETS_KEY
        for role in ("sales-train-job", "sales-monitor-job", "sales-score-job", "recorder")
    },
    **{("publisher", action): CARD_KEY for action in ("kms:CreateGrant", "kms:DescribeKey")},
    ("bucket-cleanup", "s3:DeleteObject"): DELETE_OBJECTS,
    ("recorder", "s3:ListBucket"): GONE_ZIP,
    ("deploy", "sagemaker:UpdateModelPackage"): NO_CHALLENGER,
    ("vpc endpoint sagemaker.api", "sagemaker:UpdateModelPackage"): NO_CHALLENGER,
    ("deploy", "s3:ListBucket"): NO_CHALLENGER,
    ("deploy", "arn:aws:s3:::PREFIX-artifacts-ACCOUNT-eu-west-1/*/monitor/trial.json"): NO_CHALLENGER,
    ("vpc endpoint monitoring", "cloudwatch:PutMetricAlarm"): NO_QUEUE,
    ("sales-endpoint", "arn:aws:ecr:eu-west-1:141502667606:repository/sagemaker-xgboost"): OTHER_FRAMEWORK,
    ("vpc endpoint s3/Answers", "s3:PutObject"): RESPONSES,
}
