"""What the contract tests share: a clock that follows the sandbox, a person who gives consent, a call log."""

import urllib.parse
import urllib.request
from datetime import UTC, datetime


class BoxClock:
    """The sandbox's time; sleeping lets it pass at once."""

    def __init__(self, box):
        self.box = box
        self.slept = []

    def now(self):
        return datetime.fromtimestamp(self.box.clock.now(), UTC)

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.box.clock.advance(max(seconds, 0))


class Notes:
    """A call log that remembers."""

    def __init__(self):
        self.calls = []

    def record(self, call, request_body, response_body):
        self.calls.append((call, request_body, response_body))


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def answer_consent(url, decision="allow", organisation=""):
    """Press a button on the consent page; gives what the browser would bring to the redirect address."""
    form = urllib.parse.urlencode({"decision": decision, "organisation": organisation}).encode()
    try:
        urllib.request.build_opener(_Stay).open(urllib.request.Request(url, data=form))
    except urllib.error.HTTPError as redirect:
        target = urllib.parse.urlsplit(redirect.headers["Location"])
        return dict(urllib.parse.parse_qsl(target.query))
    raise AssertionError("no redirect came")


REDIRECT = "http://localhost:8501/xero/callback"
