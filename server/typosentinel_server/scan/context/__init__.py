"""What is known of a name besides the name: one kind of knowledge a file."""
