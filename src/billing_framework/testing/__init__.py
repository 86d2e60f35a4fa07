"""What the author of a plugin tests with: the contract of raters, a throw-away office, scenario files."""

from billing_framework.testing.faults import FAULTS, Fault
from billing_framework.testing.office import Office
from billing_framework.testing.rater_contract import RaterContract
from billing_framework.testing.scenario import Scenario, play, read_scenario
from billing_framework.testing.specimen import Figure, Specimen

__all__ = ["FAULTS", "Fault", "Figure", "Office", "RaterContract", "Scenario", "Specimen", "play", "read_scenario"]
