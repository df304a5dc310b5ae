"""What Xero answers when it does not do what was asked.

ApiFault       an answer other than 2xx
├── BadPost        400, ErrorNumber 14: the body cannot be read
├── BadQuery       400, ErrorNumber 16: the where or order clause cannot be read
├── NotFound       404, empty text/html
└── Refused        401 or 403, a problem document
"""

import uuid
from typing import Any

from sandbox.wire import Reply, dumps, json_reply

VALIDATION = "A validation exception occurred"


class ApiFault(Exception):
    """An answer other than 2xx."""

    def reply(self) -> Reply:
        """The answer this fault stands for."""
        raise NotImplementedError


class BadPost(ApiFault):
    """The request body cannot be read as this resource."""

    def reply(self) -> Reply:
        """400 with ErrorNumber 14."""
        return json_reply({"ErrorNumber": 14, "Type": "PostDataInvalidException", "Message": str(self)}, 400)


class BadQuery(ApiFault):
    """A where or order clause cannot be read."""

    def reply(self) -> Reply:
        """400 with ErrorNumber 16."""
        return json_reply({"ErrorNumber": 16, "Type": "QueryParseException", "Message": str(self)}, 400)


class NotFound(ApiFault):
    """No such resource in this organisation."""

    def reply(self) -> Reply:
        """404 with an empty HTML body, as recorded."""
        return Reply(404, b"", "text/html")


class Refused(ApiFault):
    """The caller may not do this."""

    def __init__(self, status: int, detail: str, **headers: str):
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers

    def reply(self) -> Reply:
        """401 or 403 with Xero's problem document."""
        reply = json_reply(problem(self.status, self.detail), self.status)
        reply.headers |= {name.replace("_", "-"): value for name, value in self.headers.items()}
        return reply


TITLES = {401: "Unauthorized", 403: "Forbidden"}


def problem(status: int, detail: str) -> dict[str, Any]:
    """The body of a 401 or 403."""
    return {
        "Type": None,
        "Title": TITLES.get(status, "An error occurred"),
        "Status": status,
        "Detail": detail,
        "Instance": str(uuid.uuid4()),
        "Extensions": {},
    }


def validation_reply(elements: list[str]) -> Reply:
    """400 with ErrorNumber 10; the elements are ready-made JSON."""
    head = dumps({"ErrorNumber": 10, "Type": "ValidationException", "Message": VALIDATION})
    return Reply(400, f'{head[:-1]},"Elements":[{",".join(elements)}]}}'.encode())


def error_list(messages: list[str]) -> list[dict[str, str]]:
    """Messages in the form every ValidationErrors list has."""
    return [{"Message": text} for text in messages]
