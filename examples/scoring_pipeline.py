"""A pipeline that scores files on request, and an alarm when it has scored none for a day."""

from pathlib import Path

from aws_cdk import App, Aws, Duration, Stack, aws_cloudwatch, aws_s3

from model_factory import ModelProps, ScoringPipeline

MODEL = Path(__file__).resolve().parents[1] / "models" / "employment"

app = App()
stack = Stack(app, "ScoringPipelineExample")
data = aws_s3.Bucket(stack, "Data", enforce_ssl=True, versioned=True)
artifacts = aws_s3.Bucket(stack, "Artifacts", enforce_ssl=True)
image = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/scikit-learn:1.9"
props = ModelProps.from_folder(stack, MODEL, image=image, data_bucket=data, artifacts_bucket=artifacts)
scoring = ScoringPipeline(stack, "Scoring", props)
scoring.metric_rows_scored(period=Duration.days(1), statistic="Sum").create_alarm(
    stack,
    "NothingScored",
    threshold=1,
    evaluation_periods=1,
    comparison_operator=aws_cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
    treat_missing_data=aws_cloudwatch.TreatMissingData.BREACHING,
)
app.synth()
