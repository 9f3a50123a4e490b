"""What tensors take with the versions that are installed, counted on tiny models."""
