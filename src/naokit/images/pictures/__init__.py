"""Pictures, from a file or a row of a table to bytes of one size."""
