"""Programs for people who work on Typosentinel; nothing in here is shipped."""
