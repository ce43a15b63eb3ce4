"""Queues of viewers: bounded, and honest about what was left out."""

import asyncio
import json

from ansam.io.control.viewers import EVENTS, FRAMES, Viewer, Viewers


async def gathered(viewer: Viewer) -> list[str]:
    return [str(item) for item in await anext(aiter(viewer))]


def test_frames_give_way_to_newer_ones_and_events_stay() -> None:
    async def test() -> None:
        viewer = Viewer()
        viewer.event("first")
        for number in range(FRAMES + 5):
            viewer.frame(str(number))
        viewer.event("last")
        assert await gathered(viewer) == ["first", *map(str, range(5, FRAMES + 5)), "last"]

    asyncio.run(test())


def test_events_left_out_are_told_at_once_and_once() -> None:
    async def test() -> None:
        viewer = Viewer()
        for number in range(EVENTS + 7):
            viewer.event(str(number))
        *kept, note = await gathered(viewer)
        assert kept == [str(number) for number in range(EVENTS)]
        assert json.loads(note)["text"] == "7 events left out"
        viewer.event("again")
        assert await gathered(viewer) == ["again"]

    asyncio.run(test())


def test_each_viewer_has_a_queue_of_its_own() -> None:
    async def test() -> None:
        viewers = Viewers()
        with viewers.viewer() as one:
            viewers.event("a")
            with viewers.viewer() as other:
                viewers.frame("b")
                assert len(viewers) == 2
                assert await gathered(other) == ["b"]
            assert await gathered(one) == ["a", "b"]
        assert not viewers

    asyncio.run(test())
