"""To be written."""
CASES = []
