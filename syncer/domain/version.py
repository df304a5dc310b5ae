"""The version of the product, as pyproject.toml says it too."""

VERSION = "0.1.0"
