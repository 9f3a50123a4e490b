"""Evaluation, generation and classification for ftpc, in one process that answers requests."""

from ftpc_driver.worker.command import main

__all__ = ["main"]
