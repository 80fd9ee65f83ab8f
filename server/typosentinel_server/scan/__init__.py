"""The scanning core: names in, verdicts with evidence out. Pure: no clock, no network, no randomness."""
