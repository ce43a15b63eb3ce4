"""Routes of the exchange: extensions, registrations, groups, trunks, calls."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any

from starlette.responses import Response, StreamingResponse

from ansam.config.web import Role
from ansam.pbx.dialplan import Extension
from ansam.web.errors import Refused
from ansam.web.models import (
    AddedExtension,
    CallFilter,
    CallInfo,
    Calls,
    CallSearch,
    ExtensionChange,
    ExtensionInfo,
    Extensions,
    GroupInfo,
    Groups,
    LiveCalls,
    NewExtension,
    Registrations,
    Trunks,
)
from ansam.web.operations import Call, Operation
from ansam.web.sources import ExchangeView, Sources

CSV_LIMIT = 100_000
CSV_PAGE = 500
NUMBER_PATTERN = "^[0-9A-Za-z*#_.+-]{1,32}$"


class ExchangeRoutes:
    """What is asked of the exchange.

    Args:
        sources: Where `exchange` and `extensions` are.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def operations(self) -> list[Operation]:
        """Return the routes; those that change extensions only where the configuration can be changed."""
        gone = {404: "There is no such extension"}
        number = {"number": NUMBER_PATTERN}
        routes = [
            Operation("GET", "/api/extensions", self._extensions, "List extensions", answer=Extensions),
            Operation(
                "GET", "/api/registrations", self._registrations, "List registrations", answer=Registrations
            ),
            Operation("GET", "/api/groups", self._groups, "List hunt groups", answer=Groups),
            Operation("GET", "/api/trunks", self._trunks, "List trunks", answer=Trunks),
            Operation("GET", "/api/live-calls", self._live, "List calls that are up", answer=LiveCalls),
            Operation(
                *("GET", "/api/calls", self._calls, "Search call records"),
                answer=Calls,
                query=CallSearch,
                errors={503: "The database refuses"},
            ),
            Operation(
                *("GET", "/api/calls.csv", self._csv, "Search call records, as a file"),
                media="text/csv",
                query=CallFilter,
                errors={503: "The database refuses"},
            ),
        ]
        if self._sources.extensions is None:
            return routes
        return [
            *routes,
            Operation(
                *("POST", "/api/extensions", self._add, "Add an extension", Role.ADMIN),
                answer=AddedExtension,
                status=201,
                body=NewExtension,
                errors={409: "It is there already"},
            ),
            Operation(
                *("PATCH", "/api/extensions/{number}", self._change, "Change an extension", Role.ADMIN),
                answer=ExtensionInfo,
                body=ExtensionChange,
                errors=gone,
                parameters=number,
            ),
            Operation(
                *("DELETE", "/api/extensions/{number}", self._remove, "Remove an extension", Role.ADMIN),
                status=204,
                errors={**gone, 409: "Something else in the configuration needs it"},
                parameters=number,
            ),
        ]

    @property
    def _exchange(self) -> ExchangeView:
        exchange = self._sources.exchange
        assert exchange is not None, "the routes exist where an exchange does"
        return exchange

    def _info(self, extension: Extension, registered: int) -> ExtensionInfo:
        return ExtensionInfo(
            number=extension.number,
            name=extension.name,
            call_limit=extension.call_limit,
            ring_seconds=extension.ring_seconds,
            forward_busy=extension.forward_busy,
            forward_no_answer=extension.forward_no_answer,
            forward_unreachable=extension.forward_unreachable,
            registered=registered,
        )

    def _listed(self) -> list[ExtensionInfo]:
        counts: dict[str, int] = {}
        for binding in self._exchange.registrations():
            counts[binding.number] = counts.get(binding.number, 0) + 1
        return [self._info(one, counts.get(one.number, 0)) for one in self._exchange.plan]

    def _one(self, number: str) -> ExtensionInfo:
        found = next((one for one in self._listed() if one.number == number), None)
        if found is None:
            raise Refused(404, f"extension {number[:32]} is not there")
        return found

    async def _extensions(self, call: Call[None, None]) -> Extensions:
        return Extensions(extensions=self._listed())

    async def _add(self, call: Call[NewExtension, None]) -> AddedExtension:
        assert self._sources.extensions is not None
        secret = await self._sources.extensions.add(call.body, call.user)
        return AddedExtension(extension=self._one(call.body.number), secret=secret)

    async def _change(self, call: Call[ExtensionChange, None]) -> ExtensionInfo:
        assert self._sources.extensions is not None
        number = call.path("number")
        await self._sources.extensions.change(number, call.body, call.user)
        return self._one(number)

    async def _remove(self, call: Call[None, None]) -> None:
        assert self._sources.extensions is not None
        await self._sources.extensions.remove(call.path("number"), call.user)

    async def _registrations(self, call: Call[None, None]) -> Registrations:
        return Registrations(registrations=list(self._exchange.registrations()))

    async def _groups(self, call: Call[None, None]) -> Groups:
        return Groups(
            groups=[
                GroupInfo(
                    number=group.number,
                    name=group.name,
                    members=list(group.members),
                    strategy=group.strategy.value,
                    ring_seconds=group.ring_seconds,
                    limit=group.limit,
                )
                for group in self._exchange.plan.groups
            ]
        )

    async def _trunks(self, call: Call[None, None]) -> Trunks:
        return Trunks(trunks=list(self._exchange.trunks()))

    async def _live(self, call: Call[None, None]) -> LiveCalls:
        return LiveCalls(calls=list(self._exchange.live_calls()))

    async def _calls(self, call: Call[None, CallSearch]) -> Calls:
        query = call.query
        found = await self._exchange.calls(query.search, query.limit + 1, query.before)
        page = list(found[: query.limit])
        return Calls(calls=page, next=page[-1].id if len(found) > query.limit else None)

    async def _csv(self, call: Call[None, CallFilter]) -> Response:
        search = call.query.search
        # Before the first octet leaves, so that a database that refuses can still be an error.
        first = await self._exchange.calls(search, CSV_PAGE, None)
        headers = {"Content-Disposition": 'attachment; filename="calls.csv"'}
        return StreamingResponse(self._rows(search, first), media_type="text/csv", headers=headers)

    async def _rows(self, search: str, first: Sequence[CallInfo]) -> AsyncIterator[str]:
        names = list(CallInfo.model_fields)
        yield _csv_line(names)
        page, count = first, 0
        while page and count < CSV_LIMIT:
            yield "".join(_csv_line([_cell(getattr(one, name)) for name in names]) for one in page)
            count += len(page)
            page = await self._exchange.calls(search, CSV_PAGE, page[-1].id) if len(page) == CSV_PAGE else ()


def _csv_line(cells: Sequence[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def _cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: the words of a far end may begin with ``=``."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
