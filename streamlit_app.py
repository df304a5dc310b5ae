"""The console's server: `streamlit run streamlit_app.py`."""

import os
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from console.access import secrets_for_streamlit
from console.main import script_failed
from console.request_gate import GATE
from console.routes import ROUTES
from console.worker_process import lifespan

# What this process and those that it starts write is for their user alone: the ledger's side files and logs too.
os.umask(0o077)

# Our pages are those of st.navigation. Streamlit would take the folder console/pages for its own kind, and the address
# that is asked for first after the start would stay blank, unless it is the first page's.
PagesManager.uses_pages_directory = False

app = st.App(
    Path(__file__).parent / "console" / "main.py",
    lifespan=lifespan,
    routes=ROUTES,
    secrets=secrets_for_streamlit() or None,
    middleware=[GATE],
    on_script_error=script_failed,
)
