"""The sections of the file as pydantic models: which keys there are and what may stand behind them.

Values keep the types of TOML (a number in quotes is no number). What a value means beyond its type is checked
where the engines' own settings are made of it.
"""

from dataclasses import fields
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from ansam.answer.settings import AnswerSettings
from ansam.config.bbs import AreaSection, BbsSection, DoorSection, FilesSection

Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[int, Field(ge=1, le=1_000_000)]
PORTS_OF_RELAY = 2


class Section(BaseModel):
    """Base of all sections: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class ExchangeSection(Section):
    """``[exchange]``."""

    listen: Annotated[list[str], Field(min_length=1)] = ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"]
    database: str = "run/exchange.sqlite"
    realm: str = "ansam"
    digest: Annotated[list[Literal["MD5", "SHA-256"]], Field(min_length=1, max_length=2)] = ["MD5"]
    ring_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0
    media: Literal["direct", "relay"] = "direct"
    relay_ports: Annotated[list[Port], Field(min_length=PORTS_OF_RELAY, max_length=PORTS_OF_RELAY)] = [
        16384,
        17383,
    ]
    certificate: str = ""
    private_key: str = ""
    min_expires: Positive = 60
    max_expires: Positive = 3600
    contacts_limit: Annotated[int, Field(ge=1, le=64)] = 8
    calls_limit: Annotated[int, Field(ge=1, le=10_000)] = 500
    session_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    failures_limit: Annotated[int, Field(ge=0, le=10_000)] = 20
    ban_seconds: Annotated[float, Field(gt=0, le=31_536_000)] = 300.0
    messages_per_second: Annotated[int, Field(ge=0, le=1_000_000)] = 500
    trusted: list[str] = []


class ServicesSection(Section):
    """``[services]``: numbers that the exchange answers itself, "" for none; see `pbx.settings.Service`."""

    echo: str = "*43"
    milliwatt: str = ""
    silence: str = ""
    time: str = ""
    time_bell103: str = ""
    doctor: str = ""
    camp_on: str = ""
    busy: str = ""
    congestion: str = ""


class ExtensionSection(Section):
    """``[[extension]]``."""

    number: str
    secret: str
    name: str = ""
    call_limit: Annotated[int, Field(ge=1, le=1000)] = 1
    ring_seconds: Annotated[float, Field(ge=0, le=3600)] = 0.0
    forward_busy: str = ""
    forward_no_answer: str = ""
    forward_unreachable: str = ""
    caller_id: str = ""


class GroupSection(Section):
    """``[[group]]``: a hunt group; see `pbx.groups.Group`."""

    number: str
    members: Annotated[list[str], Field(min_length=1)]
    strategy: Literal["all", "order", "rotate", "idle-longest"] = "order"
    ring_seconds: Annotated[float, Field(gt=0, le=3600)] = 20.0
    limit: Annotated[int, Field(ge=0, le=10_000)] = 0
    name: str = ""
    forward_busy: str = ""
    forward_no_answer: str = ""
    forward_unreachable: str = ""


class RuleSection(Section):
    """``[[rule]]``: what becomes of numbers of a form; see `pbx.patterns.Rule`."""

    pattern: str
    number: str = ""
    strip: Annotated[int, Field(ge=0, le=32)] = 0
    prefix: str = ""
    trunks: list[str] = []
    callers: list[str] = []


class DidSection(Section):
    """One entry of a trunk's ``did``: what a number called over it becomes."""

    pattern: str
    number: str = ""
    strip: Annotated[int, Field(ge=0, le=32)] = 0
    prefix: str = ""


class TrunkSection(Section):
    """``[[trunk]]``: a line to a provider or another exchange; see `pbx.trunks.Trunk`."""

    name: str
    server: str
    transport: Literal["udp", "tcp", "tls"] = "udp"
    ca: str = ""
    verify: bool = True
    user: str = ""
    secret: str = ""
    registration: bool = False
    expires: Annotated[int, Field(ge=60, le=86_400)] = 600
    authenticate: bool = False
    sources: list[str] = []
    caller_id: str = ""
    caller_prefix: str = ""
    did: list[DidSection] = []
    codecs: list[Literal["PCMA", "PCMU"]] = ["PCMA"]
    calls_limit: Annotated[int, Field(ge=0, le=10_000)] = 0


class CallbackSection(Section):
    """``[[callback]]``: a number that calls its caller back; see `pbx.callbacks.CallBack`."""

    number: str
    target: str
    callers: Annotated[list[str], Field(min_length=1)]
    delay: Annotated[float, Field(ge=0, le=3600)] = 5.0


class ModemSection(Section):
    """``[[modem]]``."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]
    line: str
    dte: str
    init: str = ""
    personality: str = ""
    nvram: str = ""
    speaker: str = ""
    network: str = ""


class UserSection(Section):
    """``[[user]]``."""

    name: str
    password: str = ""
    entry: (
        Literal["menu", "bbs", "ppp"]
        | Annotated[str, Field(pattern="^(tcp|telnet|rlogin|ssh|command):")]
        | Annotated[list[str], Field(min_length=1)]
    ) = "menu"
    run_as: str = ""
    directory: str = ""
    role: Literal["", "viewer", "operator", "admin"] = ""
    ppp_secret: str = ""


PRIVATE = ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]
"""Networks that are not the internet: RFC 1918, RFC 6598, RFC 3927."""


class PppSection(Section):
    """``[ppp]``; see `config.ppp.PppConfig`."""

    auth: Annotated[list[Literal["pap", "chap"]], Field(max_length=2)] = ["pap", "chap"]
    users: list[str] = []
    dns: str = ""
    deny: list[str] = PRIVATE
    host: bool = False
    idle_seconds: Annotated[float, Field(ge=0, le=1_000_000)] = 0.0
    slirp: Annotated[str, Field(min_length=1)] = "slirp-fullbolt"
    command: list[str] = []


class WebSection(Section):
    """``[web]``: the page; see `config.web.WebConfig`."""

    listen: str = ""
    certificate: str = ""
    private_key: str = ""
    hosts: list[str] = []
    proxies: list[str] = []
    directory: Annotated[str, Field(min_length=1)] = "run/web"
    upload_limit: Annotated[int, Field(ge=1 << 16, le=1 << 32)] = 64 << 20
    quota: Annotated[int, Field(ge=1 << 16, le=1 << 44)] = 512 << 20
    metrics_token: str = ""


class ProvisioningSection(Section):
    """``[provisioning]``: the server of adaptors' profiles; "" is none."""

    listen: str = ""
    allow: list[str] = []
    proxy: str = ""


class AdaptorSection(Section):
    """``[[adaptor]]``."""

    mac: str
    line1: str = ""
    line2: str = ""
    model: Literal["pap2t", "spa2102", "spa3102"] = "pap2t"
    address: str = ""
    law: Literal["alaw", "ulaw"] = "alaw"


class LogSection(Section):
    """``[log]``."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


def _answer_section() -> type[Section]:
    """Make ``[answer]`` of the answering engine's own settings, so that a new one is a new key at once."""
    hints = get_type_hints(AnswerSettings)
    keys: dict[str, Any] = dict.fromkeys(("files", "mgetty_config", "login_config"), (str, ""))
    for entry in fields(AnswerSettings):
        if entry.name == "port":
            continue  # each answering modem's name
        default: Any = entry.default
        if hints[entry.name] == tuple[str, ...]:
            keys[entry.name] = (list[str], list(default))
        else:
            keys[entry.name] = (hints[entry.name], default)
    return create_model("AnswerSection", __base__=Section, **keys)


AnswerSection = _answer_section()


class File(Section):
    """The whole file."""

    exchange: ExchangeSection | None = None
    services: ServicesSection = ServicesSection()
    extension: list[ExtensionSection] = []
    group: list[GroupSection] = []
    rule: list[RuleSection] = []
    trunk: list[TrunkSection] = []
    callback: list[CallbackSection] = []
    modem: list[ModemSection] = []
    answer: AnswerSection = AnswerSection()  # type: ignore[valid-type]
    user: list[UserSection] = []
    bbs: BbsSection | None = None
    bbs_area: list[AreaSection] = []
    bbs_files: list[FilesSection] = []
    bbs_door: list[DoorSection] = []
    ppp: PppSection | None = None
    web: WebSection = WebSection()
    provisioning: ProvisioningSection = ProvisioningSection()
    adaptor: list[AdaptorSection] = []
    log: LogSection = LogSection()
