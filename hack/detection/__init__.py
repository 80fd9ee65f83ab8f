"""How well the engine detects, and what its tables are made of."""
