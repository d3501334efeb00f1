"""The version of dlproj, which every result names."""

__version__ = "0.1.0"
