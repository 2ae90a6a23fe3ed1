"""How a network of any kind learns: the one loop, its task, recipes, checkpoints, devices."""
