"""The consent page: who asks, for what, and which organisation."""

from html import escape

from sandbox.wire import Reply, text_reply
from sandbox.xero import scopes

HTML = "text/html; charset=utf-8"
# Nobody may frame the page, as at Xero.
GUARD = {"X-Frame-Options": "DENY", "Content-Security-Policy": "frame-ancestors 'none'"}

STYLE = """
:root { color-scheme: light dark; --ink: #1b2733; --dim: #5b6b7b; --paper: #fff; --desk: #eef2f6; --line: #d5dde5;
  --act: #0a6ebd; --act-ink: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9fb0c0; --paper: #17212b; --desk: #0d141b;
  --line: #2c3a48; --act: #4aa8ee; --act-ink: #06121d; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px 16px; background: var(--desk);
  color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { width: 100%; max-width: 460px; background: var(--paper); border: 1px solid var(--line); border-radius: 14px;
  padding: 28px 24px; }
.tag { display: inline-block; margin-bottom: 14px; padding: 2px 10px; border: 1px solid var(--line);
  border-radius: 99px; color: var(--dim); font-size: 13px; }
h1 { margin: 0 0 6px; font-size: 22px; line-height: 1.25; }
p { margin: 0 0 16px; color: var(--dim); }
h2, legend { margin: 20px 0 8px; padding: 0; font-size: 15px; font-weight: 600; }
ul { margin: 0; padding-left: 20px; } li { margin: 4px 0; }
fieldset { margin: 0; padding: 0; border: 0; }
label { display: flex; gap: 10px; align-items: center; padding: 11px 14px; margin-top: 8px;
  border: 1px solid var(--line); border-radius: 10px; cursor: pointer; }
label:has(:checked) { border-color: var(--act); box-shadow: 0 0 0 1px var(--act); }
input { accent-color: var(--act); width: 18px; height: 18px; margin: 0; }
.row { display: flex; gap: 10px; margin-top: 24px; }
button { flex: 1; padding: 12px; border-radius: 10px; border: 1px solid var(--line); background: transparent;
  color: var(--ink); font: inherit; font-weight: 600; cursor: pointer; }
button.act { background: var(--act); border-color: var(--act); color: var(--act-ink); }
button:focus-visible, input:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
code { font-size: 14px; overflow-wrap: anywhere; }
"""


def page(title: str, body: str, status: int = 200) -> Reply:
    """A small page of the sandbox's own."""
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    html = (
        f'<!doctype html><html lang="en"><head>{head}<title>{title}</title><style>{STYLE}</style></head>{body}</html>'
    )
    reply = text_reply(html, status, HTML)
    reply.headers |= GUARD
    return reply


def consent_page(app: str, asked: list[str], organisations: list[tuple[str, str]]) -> Reply:
    """The question put to the user; an ordinary form, so that a script can answer it too."""
    wants = "".join(f"<li>{escape(scopes.in_words(s))}</li>" for s in asked)
    choices = "".join(
        f'<label><input type="radio" name="organisation" value="{escape(id_)}"{" checked" if n == 0 else ""}>'
        f"<span>{escape(name)}</span></label>"
        for n, (id_, name) in enumerate(organisations)
    )
    body = f"""<body><main>
<span class="tag">Sandbox · stands in for Xero</span>
<h1>{escape(app)} wants access to your books</h1>
<p>You are signed in as Camille Moreau. Nothing here reaches a real organisation.</p>
<form method="post">
<fieldset><legend>Organisation</legend>{choices}</fieldset>
<h2>It will be able to</h2><ul>{wants}</ul>
<div class="row"><button name="decision" value="cancel">Cancel</button>
<button class="act" name="decision" value="allow">Allow access</button></div>
</form></main></body>"""
    return page("Allow access", body)


def fault_page(error: str, explanation: str) -> Reply:
    """The page an app's mistake leads to; the user never gets back to the app."""
    body = f"""<body><main><span class="tag">Sandbox · stands in for Xero</span>
<h1>Sorry, something went wrong</h1><p>The app that sent you here made a request that cannot be granted.</p>
<p>Error: <code>{escape(error)}</code><br>{escape(explanation)}<br>Error code: 500</p></main></body>"""
    return page("Something went wrong", body, 500)
