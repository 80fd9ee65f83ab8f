"""A real Kubernetes on this machine: kind where Docker answers, else its own processes (see README.md)."""
