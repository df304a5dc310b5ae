"""Both services with hands on their state: what worlds are built with, and what a test changes."""

from sandbox.crococlick.desk import CrocoClickDesk
from sandbox.simulation import Simulation
from sandbox.xero.desk import XeroDesk


class Fixture:
    """A simulation, its clock, and one hand for each service."""

    def __init__(self, sim: Simulation) -> None:
        self.sim, self.clock = sim, sim.clock
        self.xero = XeroDesk(sim.xero, sim.lock)
        self.crococlick = CrocoClickDesk(sim.crococlick, sim.lock)
