"""Processes that judge large batches beside the server's own."""
