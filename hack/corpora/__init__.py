"""Building the lists of popular names that the package carries."""
