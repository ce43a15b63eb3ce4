"""Settings of adaptors under the PAP2T's names: lines of our own modems, and boxes set up by provisioning.

Both stand in the configuration's file: a line in the URL of its ``[[modem]]``, a box in its ``[[adaptor]]``.
Much that a box can be set to wrongly, ours can not be set to at all: such settings are shown, with the value
that ours always has.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

import structlog

from ansam.adaptor import SETTINGS, Adaptor, Setting
from ansam.adaptor.settings import CODECS, LINE, LawName, tag
from ansam.call.line_url import SipLineUrl
from ansam.codec import Law
from ansam.config import Config, ModemConfig, load
from ansam.config.edit import Value
from ansam.config.edit_values import change_block
from ansam.errors import ConfigError
from ansam.units import SAMPLE_RATE
from ansam.web.errors import Refused
from ansam.web.models import AdaptorChange, AdaptorInfo, AdaptorSetting

JITTER_LEVELS = {"low": 20, "medium": 40, "high": 60, "very high": 100, "extremely high": 200}
"""Playout delay in milliseconds of each Network Jitter Level."""

AT_START = "when ansam is started again"
AT_FETCH = "when the adaptor fetches its settings"
_LAWS: Mapping[str, LawName] = {codec: law for law, codec in CODECS.items()}
_PLACE = re.compile(r"([^\s:;@/\[\]]{1,253}|\[[0-9a-fA-F:.]+\])(:\d{1,5})?")

_log = structlog.get_logger("ansam.web")


class AdaptorBook:
    """All adaptors.

    Args:
        path: The configuration.
        changed: Told what it says now, on the event loop.
    """

    def __init__(self, path: Path, changed: Callable[[Config], None]) -> None:
        self._path = path
        self._changed = changed
        self._lock = asyncio.Lock()

    async def all(self) -> list[AdaptorInfo]:
        """Return them: lines of modems first."""
        return _adaptors(await asyncio.to_thread(load, self._path))

    async def change(self, change: AdaptorChange, user: str) -> AdaptorInfo:
        """Change settings.

        Raises:
            Refused: 404.
            AnsamError: A value can not be, or the file can not be written.
        """
        async with self._lock:
            config = await asyncio.to_thread(self._write, change)
        self._changed(config)
        _log.info("adaptor changed", adaptor=change.id, settings=sorted(change.settings), user=user)
        return next(one for one in _adaptors(config) if one.id == change.id)

    def _write(self, change: AdaptorChange) -> Config:
        config = load(self._path)
        known = next((one for one in _adaptors(config) if one.id == change.id), None)
        if known is None:
            raise Refused(404, "there is no such adaptor")
        _check(known, change.settings)
        if known.kind == "software":
            modem = next(one for one in config.modems if one.name == change.id)
            values: dict[str, Value] = {"line": _line(modem, change.settings)}
            change_block(self._path, "modem", "name", change.id, values)
        else:
            written = _mac_as_written(self._path, change.id)
            change_block(self._path, "adaptor", "mac", written, _box(change.settings))
        return load(self._path)


def _adaptors(config: Config) -> list[AdaptorInfo]:
    lines = [_software(one) for one in config.modems if isinstance(one.line, SipLineUrl)]
    return lines + [_hardware(one) for one in config.provisioning.adaptors]


def _check(adaptor: AdaptorInfo, settings: Mapping[str, str]) -> None:
    """Raise where a setting is none, is fixed, or takes no such value."""
    known = {one.key: one for one in adaptor.settings}
    for key, value in settings.items():
        setting = known.get(key)
        if setting is None:
            raise ConfigError(f"{key[:64]}: this adaptor has no such setting")
        if not setting.editable and value != setting.value:
            raise ConfigError(f"{setting.name} is always {setting.value or 'empty'} here")
        if setting.choices and value not in setting.choices:
            raise ConfigError(f"{setting.name}: no such choice", f"there are {', '.join(setting.choices)}")
        if not value.isprintable():
            raise ConfigError(f"{setting.name} has control characters", "remove them")


# -- lines of our modems -------------------------------------------------------------------------------------


def _software(modem: ModemConfig) -> AdaptorInfo:
    url = modem.line
    assert isinstance(url, SipLineUrl)
    codec = CODECS["ulaw" if url.law is Law.ULAW else "alaw"]
    jitter = _jitter_level(url.playout)
    proxy = _place(url.proxy) if url.proxy else ""
    own = [
        _text("Proxy", _place((url.host, url.port))),
        _text("Outbound Proxy", proxy),
        _text("Register Expires", str(url.expires)),
        _text("User ID", url.user),
        _text("Password", "", why="never shown; a new one replaces it"),
        _choice("NAT Keep Alive Enable", "yes" if url.keepalive else "no", ["yes", "no"]),
    ]
    known = [
        _fixed(one, codec, jitter) for one in SETTINGS if one.page == LINE or one.name == "RTP Packet Size"
    ]
    return AdaptorInfo(
        id=modem.name,
        kind="software",
        model="pap2t",
        title=modem.name,
        applies=AT_START,
        fit=all(one.fits for one in known),
        settings=[*own, *known],
    )


def _fixed(setting: Setting, codec: str, jitter: str) -> AdaptorSetting:
    """Return a setting of the PAP2T as it is with us: two can be chosen, the others are what modems need."""
    law = _LAWS[codec]
    own = {
        "Preferred Codec": (codec, list(CODECS.values())),
        "Network Jitter Level": (jitter, _levels(jitter)),
    }
    value, choices = own.get(setting.name, (setting.wanted_for(law), []))
    wanted = setting.wanted_for(law)
    return _shown(setting, 1, value, wanted, choices, setting.name in own)


def _line(modem: ModemConfig, settings: Mapping[str, str]) -> str:
    """Return the URL of a line with settings changed; parameters that the page has not stay as they are."""
    url = modem.line
    assert isinstance(url, SipLineUrl)
    get = {key: settings.get(tag(key, 1)) for key in ("Proxy", "Outbound Proxy", "User ID", "Password")}
    user, secret = get["User ID"] or url.user, get["Password"] or url.secret
    proxy = (
        get["Outbound Proxy"] if get["Outbound Proxy"] is not None else _place(url.proxy) if url.proxy else ""
    )
    where = get["Proxy"] or _place((url.host, url.port))
    for name, value in (("Proxy", where), ("Outbound Proxy", proxy)):
        if value and not _PLACE.fullmatch(value):
            raise ConfigError(f"{name}: {value!r} is no address", "HOST or HOST:PORT")
    expires = settings.get(tag("Register Expires", 1), str(url.expires))
    if not expires.isascii() or not expires.isdecimal():
        raise ConfigError("Register Expires is no number", "seconds")
    law = _LAWS.get(settings.get(tag("Preferred Codec", 1), ""), "ulaw" if url.law is Law.ULAW else "alaw")
    level = settings.get(tag("Network Jitter Level", 1), "")
    playout = JITTER_LEVELS.get(level, url.playout * 1000 / SAMPLE_RATE)
    alive = settings.get(tag("NAT Keep Alive Enable", 1), "yes" if url.keepalive else "no")
    keepalive = (url.keepalive or 25) if alive == "yes" else 0
    changed = {
        "law": law,
        "playout": f"{playout:g}",
        "expires": expires,
        "keepalive": str(keepalive),
        "proxy": proxy,
    }
    return f"sip:{quote(user, safe='')}:{quote(secret, safe='')}@{where}{_parameters(url, changed)}"


def _parameters(url: SipLineUrl, changed: Mapping[str, str]) -> str:
    plain = SipLineUrl("", "", "")
    kept = {
        "transport": (url.transport, plain.transport),
        "bind": (url.bind, plain.bind),
        "law": (changed["law"], "alaw"),
        "playout": (changed["playout"], f"{plain.playout * 1000 / SAMPLE_RATE:g}"),
        "expires": (changed["expires"], str(plain.expires)),
        "callers": (url.callers, plain.callers),
        "vbd": (_switch(url.vbd), _switch(plain.vbd)),
        "red": (str(url.red), str(plain.red)),
        "srtp": (url.srtp.value, plain.srtp.value),
        "proxy": (changed["proxy"], ""),
        "srv": (_switch(url.srv), _switch(plain.srv)),
        "keepalive": (changed["keepalive"], str(plain.keepalive)),
        "ca": (quote(url.ca, safe="/"), plain.ca),
        "verify": (_switch(url.verify), _switch(plain.verify)),
        "rtcp": (_switch(url.rtcp), _switch(plain.rtcp)),
    }
    return "".join(f";{key}={value}" for key, (value, default) in kept.items() if value != default)


def _switch(on: bool) -> str:
    return "on" if on else "off"


def _place(address: tuple[str, int]) -> str:
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    return f"{host}:{address[1]}"


def _jitter_level(playout: int) -> str:
    milliseconds = playout * 1000 / SAMPLE_RATE
    named = {value: name for name, value in JITTER_LEVELS.items()}
    return named.get(round(milliseconds), f"{milliseconds:g} ms")


def _levels(present: str) -> list[str]:
    return list(JITTER_LEVELS) if present in JITTER_LEVELS else [present, *JITTER_LEVELS]


# -- boxes ---------------------------------------------------------------------------------------------------


def _hardware(adaptor: Adaptor) -> AdaptorInfo:
    law = adaptor.law
    settings = []
    for line in adaptor.model.lines:
        account = next((one for one in adaptor.accounts if one.line == line), None)
        settings.append(_text("User ID", account.user_id if account else "", line))
        if account is None:
            continue
        settings.append(_text("Proxy", account.proxy, line, editable=False))
        for one in SETTINGS:
            if one.page == LINE and adaptor.model in one.models:
                codec = one.name == "Preferred Codec" and line == adaptor.accounts[0].line
                choices = list(CODECS.values()) if codec else []
                settings.append(_shown(one, line, one.wanted_for(law), one.wanted_for(law), choices, codec))
    settings += [
        _shown(one, 0, one.wanted_for(law), one.wanted_for(law), [], False)
        for one in SETTINGS
        if one.page != LINE and adaptor.model in one.models
    ]
    return AdaptorInfo(
        id=adaptor.mac,
        kind="hardware",
        model=adaptor.model.value,
        title=f"{adaptor.model.value} {adaptor.mac}",
        applies=AT_FETCH,
        fit=True,
        settings=settings,
    )


def _box(settings: Mapping[str, str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for line in (1, 2):
        if tag("User ID", line) in settings:
            values[f"line{line}"] = settings[tag("User ID", line)]
        codec = settings.get(tag("Preferred Codec", line), "")
        if codec in _LAWS:
            values["law"] = _LAWS[codec]
    return values


def _mac_as_written(path: Path, mac: str) -> str:
    """Return how the file writes a MAC address."""
    found = re.findall(r'^\s*mac\s*=\s*["\']([^"\']+)["\']', path.read_text("utf-8"), re.MULTILINE)
    return next((one for one in found if re.sub(r"[:.\s-]", "", one).lower() == mac), mac)


# -- what is shown -------------------------------------------------------------------------------------------


def _shown(
    setting: Setting, line: int, value: str, wanted: str, choices: list[str], editable: bool
) -> AdaptorSetting:
    fits = value in (wanted, *setting.accepted) or setting.name == "Preferred Codec"
    return AdaptorSetting(
        key=setting.tag(line),
        page=f"{setting.page} {line}" if setting.page == LINE else setting.page,
        name=setting.name,
        value=value,
        choices=choices,
        wanted=wanted,
        fits=fits,
        severity=setting.severity.value,
        why=setting.why,
        editable=editable,
    )


def _text(name: str, value: str, line: int = 1, why: str = "", editable: bool = True) -> AdaptorSetting:
    return AdaptorSetting(
        key=tag(name, line),
        page=f"{LINE} {line}",
        name=name,
        value=value,
        choices=[],
        wanted="",
        fits=True,
        severity="",
        why=why,
        editable=editable,
    )


def _choice(name: str, value: str, choices: list[str]) -> AdaptorSetting:
    return _text(name, value).model_copy(update={"choices": choices})
