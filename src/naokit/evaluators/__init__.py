"""Architecture -> score."""
