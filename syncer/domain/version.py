"""The version of the product, as pyproject.toml says it too."""

VERSION = "0.2.0"
