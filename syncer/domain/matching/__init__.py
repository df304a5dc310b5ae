"""Which contacts are the same. Pure."""
