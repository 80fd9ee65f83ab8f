"""The sections of the configuration document, a room each."""
