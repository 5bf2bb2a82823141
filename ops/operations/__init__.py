"""Operations on deployed models: status, retrain, invoke and upload."""
