"""Answers as XML: what Xero sends where a request does not ask for JSON."""

import json
import re
from typing import Any
from xml.sax.saxutils import escape

from sandbox.wire import Reply

CONTENT_TYPE = "text/xml; charset=utf-8"
SINGULAR = {"Currencies": "Currency", "Addresses": "Address", "TrackingCategories": "TrackingCategory"}
# XML 1.0 has no form for these.
NOT_IN_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def is_wanted(accept: str) -> bool:
    """Whether a caller gets XML: it names XML, or nothing in particular."""
    return "json" not in accept and (not accept or "xml" in accept or "*/*" in accept)


def reply(answer: Reply) -> Reply:
    """An answer with the same content as XML; what is no JSON stays as it is."""
    try:
        content = json.loads(answer.body)
    except ValueError:
        return answer
    name = "ApiException" if answer.status >= 400 else "Response"
    return Reply(answer.status, element(name, content).encode(), CONTENT_TYPE, answer.headers)


def element(name: str, value: Any) -> str:
    """One element with everything in it."""
    if isinstance(value, dict):
        inner = "".join(element(key, item) for key, item in value.items() if item is not None)
    elif isinstance(value, list):
        single = SINGULAR.get(name, name.removesuffix("s"))
        inner = "".join(element(single, item) for item in value)
    else:
        written = str(value).lower() if isinstance(value, bool) else str(value)
        inner = escape(NOT_IN_XML.sub("", written))
    return f"<{name}>{inner}</{name}>"
