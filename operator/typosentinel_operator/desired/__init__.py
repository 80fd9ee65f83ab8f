"""Desired state as values: specs in, manifests out. Nothing here sees a client, a clock or chance."""
