"""A whole call in virtual time: two modems, two terminals, a simulated circuit."""

from ansam.sim.call import run
from ansam.sim.options import Direction, Far, SimOptions
from ansam.sim.result import BothWays, SimResult

__all__ = ["BothWays", "Direction", "Far", "SimOptions", "SimResult", "run"]
