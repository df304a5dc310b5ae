"""The console's server: `streamlit run streamlit_app.py`."""

from pathlib import Path

import streamlit as st

from console.access import ONLY_THIS_MACHINE
from console.main import script_failed
from console.routes import ROUTES

app = st.App(
    Path(__file__).parent / "console" / "main.py",
    routes=ROUTES,
    middleware=[ONLY_THIS_MACHINE],
    on_script_error=script_failed,
)
