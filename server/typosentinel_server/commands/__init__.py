"""The commands, one a file; each holds a `command`."""
