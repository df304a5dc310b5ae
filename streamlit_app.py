"""The console's server: `streamlit run streamlit_app.py`."""

from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from console.access import ONLY_THIS_MACHINE
from console.main import script_failed
from console.routes import ROUTES

# Our pages are those of st.navigation. Otherwise Streamlit takes the folder console/pages for its own kind, and the first
# address that is asked for after the start, if it is not the first page's, stays blank.
PagesManager.uses_pages_directory = False

app = st.App(
    Path(__file__).parent / "console" / "main.py",
    routes=ROUTES,
    middleware=[ONLY_THIS_MACHINE],
    on_script_error=script_failed,
)
