"""The HTTP benchmark: our server beside a bare one."""
