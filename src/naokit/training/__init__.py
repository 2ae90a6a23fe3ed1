"""How a network learns: data, augmentation, recipes and the one loop."""
