"""What a server says of itself: the document of its API, and the pages that people look at."""
