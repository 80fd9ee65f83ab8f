"""Open-loop load on a ScanService in a cluster, and what becomes of it while pods come and go."""
