"""Text as a kind of data: reading it, learning from it, trained language models."""
