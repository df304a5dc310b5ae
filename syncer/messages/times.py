"""Moments as text for machines."""

from datetime import UTC, datetime


def iso(value: datetime | None) -> str | None:
    """A time as UTC ISO with Z."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else None
