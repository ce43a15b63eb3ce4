"""Routes of modems: their fronts, and what can be done at them."""

import asyncio
from typing import Any

from starlette.responses import Response

from ansam.config.web import Role
from ansam.errors import AnsamError
from ansam.io.control import ControlHub, ModemControl, PanelState
from ansam.web.errors import Refused
from ansam.web.models import Dial, Modem, Modems, Nothing, Volume
from ansam.web.operations import Call, Operation

_GONE = {404: "There is no such modem", 503: "The modem can not be reached"}
_STATE = {409: "The modem is not in the state for it"}


class ModemRoutes:
    """What is asked of modems.

    Args:
        hub: The modems.
    """

    def __init__(self, hub: ControlHub) -> None:
        self._hub = hub

    def operations(self) -> list[Operation]:
        """Return the routes."""
        one, operator = "/api/modems/{id}", Role.OPERATOR
        return [
            Operation(
                "GET", "/api/modems", self._modems, "List modems", answer=Modems, errors={503: "Not now"}
            ),
            Operation("GET", one, self._modem, "Show a modem", answer=Modem, errors=_GONE),
            Operation(
                *("POST", f"{one}/dial", self._dial, "Dial", operator),
                answer=Modem,
                status=202,
                body=Dial,
                errors=_GONE | _STATE,
            ),
            Operation(
                *("POST", f"{one}/answer", self._answer, "Answer the call that rings", operator),
                answer=Modem,
                status=202,
                body=Nothing,
                errors=_GONE | _STATE,
            ),
            Operation(
                *("POST", f"{one}/hangup", self._hang_up, "End the call", operator),
                answer=Modem,
                status=202,
                body=Nothing,
                errors=_GONE | _STATE,
            ),
            Operation(
                *("POST", f"{one}/volume", self._volume, "Turn the speaker", operator),
                answer=Modem,
                status=202,
                body=Volume,
                errors=_GONE | _STATE,
            ),
            Operation(
                *("GET", f"{one}/bundle", self._bundle, "Fetch the last 60 s of the call"),
                media="application/octet-stream",
                errors={404: "There is no such modem, or it has heard nothing yet", 503: "Not now"},
            ),
        ]

    def _find(self, call: Call[Any, None]) -> ModemControl:
        return find_modem(self._hub, call.path("id"))

    async def _modems(self, call: Call[None, None]) -> Modems:
        return Modems(modems=[modem_info(state) for state in await states_of(self._hub)])

    async def _modem(self, call: Call[Any, None]) -> Modem:
        return modem_info(await self._find(call).state())

    async def _dial(self, call: Call[Dial, None]) -> Modem:
        modem = self._find(call)
        await modem.dial(call.body.string)
        return modem_info(await modem.state())

    async def _answer(self, call: Call[Nothing, None]) -> Modem:
        modem = self._find(call)
        await modem.answer()
        return modem_info(await modem.state())

    async def _hang_up(self, call: Call[Nothing, None]) -> Modem:
        modem = self._find(call)
        await modem.hang_up()
        return modem_info(await modem.state())

    async def _volume(self, call: Call[Volume, None]) -> Modem:
        modem = self._find(call)
        await modem.volume(call.body.level)
        return modem_info(await modem.state())

    async def _bundle(self, call: Call[None, None]) -> Response:
        modem = self._find(call)
        data = await modem.bundle()
        if not data:
            raise Refused(404, f"modem {modem.id} has heard nothing yet")
        headers = {"Content-Disposition": f'attachment; filename="{modem.id}.zip"'}
        return Response(data, media_type="application/octet-stream", headers=headers)


def find_modem(hub: ControlHub, name: str) -> ModemControl:
    """Return a modem.

    Raises:
        Refused: 404.
    """
    modem = hub.find(name)
    if modem is None:
        raise Refused(404, "there is no such modem")
    return modem


async def states_of(hub: ControlHub) -> list[PanelState]:
    """Return the fronts of all modems but those whose worker does not answer: they hide no others."""
    found = await asyncio.gather(*(one.state() for one in hub.modems()), return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException) and not isinstance(one, AnsamError):
            raise one
    return [one for one in found if isinstance(one, PanelState)]


def modem_info(state: PanelState) -> Modem:
    """Return a front as it is sent."""
    return Modem.model_validate(state.message())
