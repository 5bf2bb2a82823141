"""What runs inside SageMaker jobs and endpoints; shipped alone, in a zip with the model's code (docs/reference/contracts.md)."""
