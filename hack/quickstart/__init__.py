"""`python -m hack.quickstart`: the main job, from nothing to verdicts."""
