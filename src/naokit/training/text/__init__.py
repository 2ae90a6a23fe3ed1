"""Text to learn from: vocabularies, and readers of folders, files and data sets."""
