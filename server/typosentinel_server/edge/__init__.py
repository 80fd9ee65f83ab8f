"""What a stranger's connection may cost: time, bytes, and a place among the others."""
