"""Interchange circuits between terminal (DTE) and modem (DCE), V.24 (02/2000) §3, as software sees them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Circuits:
    """State of the control circuits from DCE to DTE.

    Attributes:
        circuit_106: Ready for sending (CTS).
        circuit_107: Data set ready (DSR).
        circuit_109: Received line signal detector (DCD).
        circuit_125: Calling indicator (RI).
    """

    circuit_106: bool = True
    circuit_107: bool = True
    circuit_109: bool = False
    circuit_125: bool = False
