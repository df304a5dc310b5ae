"""Xero's own client for Node checks what others do not: the signature of the id token."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.server import Sandbox

HERE = Path(__file__).parent / "node"
# Where everything is installed before the tests, a missing client is a failure.
MUST_RUN = os.environ.get("SANDBOX_NODE") == "required"


def missing(reason: str) -> None:
    """Skip, or fail where the client has to be there."""
    (pytest.fail if MUST_RUN else pytest.skip)(f"xero-node is not at hand: {reason}")


@pytest.fixture(scope="module")
def node() -> str:
    """The node program, with the client installed beside its lock file."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if not program:
        missing("there is no node")
    if not (HERE / "node_modules" / "xero-node").is_dir():
        if not npm:
            missing("there is no npm to install it")
        command = [str(npm), "ci", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=30000"]
        try:
            subprocess.run(command, cwd=HERE, check=True, capture_output=True, timeout=150)
        except (subprocess.SubprocessError, OSError) as error:
            missing(f"npm ci: {error}")
    return str(program)


def test_xeros_client_for_node_goes_through_a_consent_with_openid(node: str) -> None:
    """Discovery, RS256 checked by the published keys, renewal, an invoice there and back, and the end of it."""
    with Sandbox(world="empty", limits=False) as box:
        command = [node, "consent.cjs", box.url, box.xero.tenant]
        done = subprocess.run(command, cwd=HERE, check=False, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-2000:]
        told = json.loads(done.stdout)
        assert (told["issuer"], told["email"]) == ("https://identity.xero.com", "camille.moreau@example.com")
        assert told["renewed"]
        assert told["organisation"] == box.xero.organisation()["Name"]
        assert (told["made"], told["total"]) == (told["found"], 120)
        assert told["refused"] == 403
        assert box.xero.numbers() == ["N-1"]
