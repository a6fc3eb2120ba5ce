"""Written for a test."""
