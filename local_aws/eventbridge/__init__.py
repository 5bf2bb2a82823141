"""EventBridge as documented: event patterns, input transformers and schedule expressions. Pure: nothing of moto here."""
