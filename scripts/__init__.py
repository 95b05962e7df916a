"""Programs the Makefile calls: lock files, images, clusters, helm, generated pages."""
