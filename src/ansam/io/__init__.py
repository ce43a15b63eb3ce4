"""The skins around the engines: asyncio, sockets, ptys, threads and clocks live here and in the apps only."""
