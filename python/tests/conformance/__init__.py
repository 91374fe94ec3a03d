"""The conformance scripts of the repository, run through this package."""
