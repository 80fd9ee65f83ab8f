"""Sets of lists with what vouches for them: as a directory, as one archive, and how they are made and compared."""
