"""Several server processes on one port, and the one that looks after them."""
