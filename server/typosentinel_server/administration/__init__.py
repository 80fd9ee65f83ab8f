"""The administrative port: who may, what can be looked after by hand, and the document about it."""
