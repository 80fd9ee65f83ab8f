"""The product's container images, built from locked wheels; with Docker, or with buildah and a base made here."""
