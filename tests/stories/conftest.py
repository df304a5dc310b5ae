"""A world to tell stories in, connected and with an account for its lines."""

import pytest

from sandbox.server import Sandbox
from tests.stories.stories_world import World


@pytest.fixture
def box():
    with Sandbox(world="empty", limits=False) as box:
        yield box


@pytest.fixture
def world(box, tmp_path):
    world = World(box, tmp_path)
    world.connect()
    world.set(revenue_account="706")
    return world
