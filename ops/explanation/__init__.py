"""Explanation of one prediction: the captured request, the version that answered, its score again, and contributions."""
