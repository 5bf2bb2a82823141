"""The CDK application: factory.yaml and models/*/model.yaml in, CloudFormation stacks out."""

from model_factory import FactoryApp

app = FactoryApp()
app.synth()
