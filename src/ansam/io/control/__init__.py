"""Seeing and working running modems from elsewhere: front panel, scope, terminal, sound."""

from ansam.io.control.base import (
    LIGHTS,
    Conflict,
    ControlHub,
    Message,
    ModemControl,
    PanelState,
    TerminalStream,
)

__all__ = ["LIGHTS", "Conflict", "ControlHub", "Message", "ModemControl", "PanelState", "TerminalStream"]
