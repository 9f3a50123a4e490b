"""Counts the bytes of tensors, so that plans know what the installed versions keep."""
