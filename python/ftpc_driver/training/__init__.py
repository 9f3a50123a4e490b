"""Training on one rank of many: order, steps, optimisers, checkpoints."""
