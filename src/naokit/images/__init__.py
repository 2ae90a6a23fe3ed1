"""Images as a kind of data: reading them, learning from them, trained classifiers."""
