"""Faults between the operator and its API server, and the campaigns that try them: start reading at campaign.py."""
