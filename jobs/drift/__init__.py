"""Whether data moved: profiles of a reference and of now, and a decision that needs both effect and significance."""
