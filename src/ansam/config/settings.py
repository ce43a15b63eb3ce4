"""What a configuration says, checked and complete. Secrets never appear in the text of these objects."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ansam.answer.settings import AnswerSettings
from ansam.answer.users import User
from ansam.config.bbs import BbsConfig
from ansam.config.ppp import PppConfig
from ansam.config.provisioning import ProvisioningConfig
from ansam.config.web import WebConfig
from ansam.pbx.callbacks import CallBack
from ansam.pbx.dialplan import DialPlan, Extension
from ansam.pbx.groups import Group
from ansam.pbx.patterns import Rule
from ansam.pbx.settings import ExchangeSettings
from ansam.pbx.trunks import Trunk

if TYPE_CHECKING:
    # At run time it would bring the signal processing into commands that only list extensions.
    from ansam.call.line_url import LineUrl, NetworkLineUrl

Transport = Literal["udp", "tcp", "tls"]


@dataclass(frozen=True, slots=True)
class Listen:
    """An address the exchange listens on.

    Attributes:
        transport: ``udp``, ``tcp`` or ``tls``.
        host: An IP address; IPv6 without brackets.
        port: 1–65535, or 0 for one the system chooses.
    """

    transport: Transport
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}:{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ExchangeConfig:
    """The section ``[exchange]``.

    Attributes:
        settings: For the engine.
        listen: Addresses for SIP, at least one.
        database: A file for SQLite, or a URL of SQLAlchemy (which may hold a password).
        relay_ports: First and last UDP port of relayed media, inclusive.
        certificate: File with the certificate chain (PEM) for TLS; "" without TLS.
        private_key: File with its key.
    """

    settings: ExchangeSettings = field(default_factory=ExchangeSettings)
    listen: tuple[Listen, ...] = (Listen("udp", "127.0.0.1", 5060), Listen("tcp", "127.0.0.1", 5060))
    database: str = field(default="run/exchange.sqlite", repr=False)
    relay_ports: tuple[int, int] = (16384, 17383)
    certificate: str = ""
    private_key: str = ""


@dataclass(frozen=True, slots=True)
class ModemConfig:
    r"""One ``[[modem]]``.

    Attributes:
        name: Names it in logs and, on an answering line, as ``\P``.
        line: Where it is plugged in.
        dte: Its terminal side: ``pty:PATH``, ``tcp:HOST:PORT`` or ``answer:`` and a service.
        init: A command line it is set up with, such as ``ATS0=1``; "" for none.
        personality: Make of modem: a name, or the path of a personality file; "" is the default.
        nvram: File of what AT&W stores; "" is the usual place (of an answering modem: none), "none" nowhere.
        speaker: WAV file of what the speaker plays, ``device`` for the sound device, "" for neither.
        network: A network line beside `line`, or None.
    """

    name: str
    line: "LineUrl" = field(repr=False)
    dte: str
    init: str = ""
    personality: str = ""
    nvram: str = ""
    speaker: str = ""
    network: "NetworkLineUrl | None" = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MgettyPaths:
    """``[answer] mgetty_config`` and ``login_config``.

    Attributes:
        config: `mgetty.config`.
        login: `login.config`; None for the one `config` leads to.
    """

    config: Path
    login: Path | None = None


@dataclass(frozen=True, slots=True)
class LogConfig:
    """The section ``[log]``.

    Attributes:
        level: The least level written.
        format: ``text``, ``json``, or ``auto``: text, in the form systemd's journal wants where that listens.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration.

    Attributes:
        path: The file, for messages; "" where there is none.
        exchange: None: no exchange runs here.
        extensions: Of the exchange.
        groups: Its hunt groups.
        rules: Its rules for numbers of a form, in order.
        trunks: Its lines to elsewhere.
        callbacks: Its numbers that call back.
        modems: Lines with a modem each.
        answer: For modems with ``dte = "answer:…"``; `port` is the modem's name.
        files: Directory of the files a caller may read, or "".
        mgetty: The mgetty's files that describe the lines with a login prompt, or None.
        users: Who may log in.
        bbs: The built-in board, or None.
        ppp: Callers by PPP, or None where there are none.
        provisioning: Profiles of adaptors, and whether they are served.
        web: The page, and who may log in to it.
        log: Logging.
    """

    path: str = ""
    exchange: ExchangeConfig | None = None
    extensions: tuple[Extension, ...] = ()
    groups: tuple[Group, ...] = ()
    rules: tuple[Rule, ...] = ()
    trunks: tuple[Trunk, ...] = ()
    callbacks: tuple[CallBack, ...] = ()
    modems: tuple[ModemConfig, ...] = ()
    answer: AnswerSettings = field(default_factory=AnswerSettings)
    files: str = ""
    mgetty: MgettyPaths | None = None
    users: tuple[User, ...] = ()
    bbs: BbsConfig | None = None
    ppp: PppConfig | None = None
    provisioning: ProvisioningConfig = field(default_factory=ProvisioningConfig)
    web: WebConfig = field(default_factory=WebConfig)
    log: LogConfig = LogConfig()

    def plan(self) -> DialPlan:
        """Return the dial plan of the exchange."""
        return DialPlan(self.extensions, self.groups, self.rules, self.trunks, self.callbacks)
