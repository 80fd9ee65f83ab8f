"""Many questions in one request: read as they come, judged here or by workers, answered in order."""
