"""The set-up as one path: what is done, what comes next, what is missing."""

from html import escape

import streamlit as st

from console.components import html
from console.desk.desk import Desk


def path(desk: Desk, here: str = "") -> None:
    """The five steps as long as one is to do, on the page of the last until the first invoice has gone over."""
    steps = desk.readiness.steps()
    if all(step.done for step in steps) or (here == "live" and steps[-1].done):
        return
    current = next((step.key for step in steps if not step.done), "")
    told = []
    for number, step in enumerate(steps, 1):
        state = "done" if step.done else "next" if step.key == current else "later"
        mark, word = {"done": ("✓", "done"), "next": (f"{number}", "next"), "later": (f"{number}", "to do")}[state]
        address = html.link(step.page, desk.name)
        title = f"<b>{escape(step.title)}</b>" if step.key == here else escape(step.title)
        said = escape(step.missing or ("Done" if step.done else word))
        told.append(
            f'<li class="{state}"><a href="{escape(address)}"><span class="dot" aria-hidden="true">{mark}</span>'
            f'<span>{title}<span class="under">{said}</span></span></a></li>'
        )
    with st.container(key="path"):
        html.html(f'<ol class="path" aria-label="Setting up">{"".join(told)}</ol>')
