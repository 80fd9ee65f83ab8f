"""Strangers' requests to a running server, made up from its own document and by breaking right ones."""
