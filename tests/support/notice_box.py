"""A small server that takes notices as Apprise's `json://` sends them, and may refuse them for a while."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class NoticeBox:
    """`got` is what it took: title and text of each message, in order."""

    def __init__(self):
        self.got, self.is_down, self.tries = [], False, 0
        box = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                box.tries += 1
                if not box.is_down:
                    box.got.append((body["title"], body["message"]))
                self.send_response(503 if box.is_down else 200)
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"json://anna:hidden@localhost:{self._server.server_port}"
        self.name = f"json://a…:****@localhost:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()

    def titles(self):
        """What the titles say since this was last asked, without the beginning that all share."""
        found = [title.partition(": ")[2] for title, _ in self.got]
        self.got.clear()
        return found
