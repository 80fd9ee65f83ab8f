"""Fuzzing by coverage: targets, each a module with SEEDS and a function `make`, and what runs them."""
