"""Makes the services of answering lines: the board, the file server and PPP."""

import secrets
import shutil
from dataclasses import replace

import structlog

from ansam.answer.bbs.board import Backing
from ansam.answer.bbs.main import BbsService, FileService
from ansam.answer.bbs.settings import BbsSettings, FileArea
from ansam.answer.bbs.transfer import PROTOCOLS
from ansam.answer.bridge import BridgeService, Holding
from ansam.answer.place import Place
from ansam.answer.ppp import PppPrograms
from ansam.answer.service_url import BoardService, BridgeTarget, FilesService, PppService, Service
from ansam.answer.users import Bbs, User
from ansam.config.bbs import BbsConfig
from ansam.errors import ConfigError
from ansam.io.bbs_library import BbsLibrary
from ansam.io.bbs_store import BbsStore

_log = structlog.get_logger("ansam.answer")

_HOLDING = Holding()
"""Sessions that wait for callers of any line of this process."""

_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Of tokens: none that looks like another."""


def _token() -> str:
    """Return a token of 40 bits that can be read off a screen."""
    signs = [secrets.choice(_SIGNS) for _ in range(8)]
    return f"{''.join(signs[:4])}-{''.join(signs[4:])}"


def put_through(target: BridgeTarget) -> BridgeService:
    """Return what puts callers through; what they leave can be had again on any line of this process."""
    return BridgeService(target, _HOLDING, _token)


class Services:
    """The services of one process; what a board keeps is opened once.

    Args:
        bbs: The board of the configuration, or None.
        ppp: What serves callers by PPP, or None.
        work: Where file servers keep uploads that wait.
    """

    def __init__(
        self, bbs: BbsConfig | None, ppp: PppPrograms | None = None, work: str = "run/files"
    ) -> None:
        self._bbs = bbs
        self._ppp = ppp
        self._work = work
        self._board: BbsService | None = None
        self._accounts: list[User] = []

    def at(self, place: Place, service: Service) -> Place:
        """Return a line's place with its service, and with the board for users whose entry it is.

        Raises:
            AnsamError: A directory or the database can not be had.
        """
        board = self._open_board() if self._bbs is not None or isinstance(service, BoardService) else None
        if board is not None:
            for user in self._accounts:
                place.users.join(user)
            place = replace(place, bbs=board)
        place = replace(place, ppp=self._ppp)
        if isinstance(service, PppService):
            if self._ppp is None:
                raise ConfigError("the line serves PPP, but nothing says how", "add a section [ppp]")
            return replace(place, service=self._ppp)
        if isinstance(service, BoardService):
            return replace(place, service=board)
        if isinstance(service, BridgeTarget):
            return replace(place, service=put_through(service))
        if isinstance(service, FilesService):
            return replace(place, service=self._file_server(service))
        return place

    def _open_board(self) -> BbsService:
        if self._board is None:
            _look_for_programs()
            config = self._bbs or BbsConfig()
            store = BbsStore(config.database)
            self._board = BbsService(config.settings, Backing(store, BbsLibrary(config.settings)))
            self._accounts = [
                User(account.name, account.password_hash, Bbs())
                for account in store.accounts()
                if account.approved
            ]
        return self._board

    def _file_server(self, service: FilesService) -> FileService:
        _look_for_programs()
        area = FileArea("files", service.path, "Files", service.uploads)
        settings = BbsSettings(name="File server", work=self._work, files=(area,), call_minutes=0)
        # Nobody has an account here: a database in memory is enough.
        return FileService(settings, Backing(BbsStore("sqlite://"), BbsLibrary(settings)))


def _look_for_programs() -> None:
    """Log which transfer programs are missing; Debian has them all in lrzsz."""
    names = {program for one in PROTOCOLS for program in (one.send[0], one.receive[0])}
    missing = sorted(name for name in names if shutil.which(name) is None)
    if missing:
        _log.warning("no file transfers", missing=missing, remedy="apt install lrzsz")
