"""One registry's forms of answers a file: bytes in, what they say out, and Failure where they cannot be right."""
