"""The operator at scale: how fast, how frugal, how quiet."""
