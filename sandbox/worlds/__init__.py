"""Organisations and locations that a sandbox starts with."""
