"""The real clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Wall time, and waiting that a keyboard interrupt ends."""

    def now(self) -> datetime:
        """The moment, in UTC with its zone."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait; nothing for zero or less."""
        if seconds > 0:
            time.sleep(seconds)
