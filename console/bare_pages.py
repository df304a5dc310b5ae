"""Pages of the console that Streamlit does not draw: a title, a few sentences, a link."""

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{title}</title><style>
body{{font:1.05rem/1.55 system-ui,sans-serif;max-width:34rem;margin:14vh auto;padding:0 1.25rem;
color:light-dark(#1c2725,#e6eeec);background:light-dark(#fff,#12191a)}}
h1{{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem}}a{{color:light-dark(#0b6e5f,#5cc9b5)}}
a.act,button{{display:inline-block;background:light-dark(#0b6e5f,#1d8a78);color:#fff;font:inherit;border:0;
padding:.5rem 1rem;border-radius:8px;text-decoration:none;margin-right:1rem;cursor:pointer}}
code{{overflow-wrap:anywhere;background:light-dark(#f3f6f5,#1b2526);padding:.1rem .3rem;border-radius:4px}}
ul{{padding-left:1.2rem}}form{{display:flex;flex-wrap:wrap;gap:.5rem;align-items:end;margin-top:1.25rem}}
label{{flex:1 1 14rem}}input{{display:block;box-sizing:border-box;width:100%;font:inherit;padding:.45rem .6rem;
border:1px solid light-dark(#8a9794,#6b7b7c);border-radius:8px;color:inherit;background:transparent}}
.wrong{{color:light-dark(#a3271c,#ff9d92)}}</style>
<h1>{title}</h1>{body}</html>"""
# Such an answer may hold a code or a token in its address: the address goes to nobody, and the page is not kept.
PRIVATE = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


def page(title: str, body: str) -> str:
    """A whole page; title and body are HTML, escaped by the caller."""
    return _PAGE.format(title=title, body=body)
