"""The same questions and orders as the console, from a terminal: `python -m syncer COMMAND`."""

import sys

from syncer.cli.main import run

# DuckDB imports pandas with the first parameter that is bound (0.3 s), if there is one; no command needs it.
sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]  # because: None is how Python marks what may not be imported

if __name__ == "__main__":
    run()
