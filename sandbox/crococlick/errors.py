"""What CrocoClick answers when it does not do what was asked."""

import secrets
from typing import Any

from sandbox.wire import Reply, json_reply

NAMES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 422: "Unprocessable Entity"}


class Refusal(Exception):
    """An answer other than 2xx."""

    def __init__(self, status: int, message: str | list[str], named: bool = False, **extra: Any):
        super().__init__(str(message))
        self.status, self.message, self.named, self.extra = status, message, named, extra

    def reply(self) -> Reply:
        """The answer this refusal stands for."""
        body: dict[str, Any] = {"statusCode": self.status, "message": self.message}
        if self.named:
            body["error"] = NAMES[self.status]
        return json_reply(body | self.extra | {"traceId": trace_id()}, self.status)


def invalid(messages: list[str]) -> Refusal:
    """422: the messages are a list."""
    return Refusal(422, messages, named=True)


def trace_id() -> str:
    """What a support ticket wants to know."""
    raw = secrets.token_hex(16)
    return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"
