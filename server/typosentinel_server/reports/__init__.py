"""Answers as text or JSON. Pure: answers in, strings out."""
