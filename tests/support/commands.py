"""Commands as a person gives them, each in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]


def run(world, *words, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "syncer", *words],
        cwd=ROOT, env={**os.environ, **world.values, **environment}, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done


def told(world, *words, status=0):
    """The one JSON object of a command that ends with this status."""
    done = run(world, *words, "--json")
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)
