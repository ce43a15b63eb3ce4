"""Trunks: lines to a provider or another exchange, and what comes and goes over them.

Nothing goes to a trunk that a rule of the dial plan does not send there, and what comes from one reaches the
numbers of its `dids` alone: a call never goes from trunk to trunk.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from ansam.errors import ConfigError
from ansam.pbx.dialplan import NUMBER, Extension
from ansam.pbx.patterns import Rule

PAYLOADS = {"PCMA": "8", "PCMU": "0"}
"""Codecs that carry a modem, and their payload types (RFC 3551 table 4)."""

ANONYMOUS = "anonymous"
"""Number of a caller whose trunk says none (RFC 3323 §4.1.1.3)."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_MEDIA = re.compile(rb"m=audio (\d+) (\S+)((?: \S+)+)(\r?\n?)")
_OF_PAYLOAD = re.compile(rb"a=(?:rtpmap|fmtp|rtcp-fb):(\d+)\b")


@dataclass(frozen=True, slots=True)
class Trunk:
    """One trunk.

    Attributes:
        name: For rules, logs and records.
        host: The far side: a name or an IP address, IPv6 without brackets.
        port: Its port; None: found by SRV records, or 5060, and 5061 with TLS.
        transport: To the far side.
        ca: File of certificates (PEM) that vouch for the far side's (tls); "": those this machine trusts.
        verify: The far side must prove its name (tls).
        user: User name of the registration and of our calls' credentials; "" for none.
        secret: Its password.
        register: Keep registered there, so that calls find us.
        expires: Seconds to ask for.
        authenticate: Callers from it prove `user` and `secret` to us, and may come from any address.
        sources: IP addresses whose calls are its calls, beside the far side's own address and port.
        caller_id: Number shown to those called over it, where the calling extension has none of its own; "":
            `user`.
        caller_prefix: Put in front of the numbers of those who call over it, so that none looks like an
            extension.
        dids: What becomes of the numbers called over it, in order; others do not exist.
        codecs: Those offered, keys of `PAYLOADS`; empty: whatever the ends offer.
        calls_limit: Calls at the same time, both ways; 0: any number.
    """

    name: str
    host: str
    port: int | None = None
    transport: Literal["udp", "tcp", "tls"] = "udp"
    user: str = ""
    secret: str = field(default="", repr=False)
    register: bool = False
    expires: int = 600
    authenticate: bool = False
    sources: tuple[str, ...] = ()
    caller_id: str = ""
    caller_prefix: str = ""
    dids: tuple[Rule, ...] = ()
    codecs: tuple[str, ...] = ("PCMA",)
    calls_limit: int = 0
    ca: str = ""
    verify: bool = True

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(f"trunk name {self.name!r}", "use 1 to 32 of A-Z a-z 0-9 _ . -")
        if not self.host:
            raise ConfigError(f"trunk {self.name} names no server", 'server = "sip.example.net"')
        for key in ("user", "caller_id", "caller_prefix"):
            value = getattr(self, key)
            if value and not NUMBER.fullmatch(value):
                raise ConfigError(
                    f"trunk {self.name}: {key} {value!r}", "use 1 to 32 of 0-9 A-Z a-z * # _ . + -"
                )
        if self.transport != "tls" and (self.ca or not self.verify):
            raise ConfigError(f"trunk {self.name}: ca and verify belong to TLS", 'transport = "tls"')
        if (self.register or self.authenticate) and not (self.user and self.secret):
            what = "registers" if self.register else "demands proof of its callers"
            raise ConfigError(f"trunk {self.name} {what} but has no user and secret", "set both")

    def uri(self, number: str) -> str:
        """Return the URI of a number at the far side."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"sip:{quote(number, safe='*+')}@{host}{port}"

    def reached(self, dialled: str) -> str | None:
        """Return the number of ours that one called over the trunk reaches, or None."""
        made = (rule.apply(dialled) for rule in self.dids)
        return next((number for number in made if number is not None), None)

    def offer(self, sdp: bytes) -> bytes:
        """Return a description with the trunk's codecs alone, b"" where none is left of it."""
        return sdp if not self.codecs else only(sdp, [PAYLOADS[codec] for codec in self.codecs])


def only(sdp: bytes, payloads: Sequence[str]) -> bytes:
    """Return a session description whose audio has these payload types alone, b"" where one has none of them.

    What belongs to others goes with them; everything else stays as it is.

    Spec: RFC 4566 §5.14, RFC 3264 §5.1.
    """
    wanted = {payload.encode() for payload in payloads}
    out, taken = [], False
    for line in sdp.splitlines(keepends=True):
        media = _MEDIA.fullmatch(line)
        about = _OF_PAYLOAD.match(line)
        if media:
            kept = [form for form in media[3].split() if form in wanted]
            if not kept:
                return b""
            line, taken = b"m=audio %s %s %s%s" % (media[1], media[2], b" ".join(kept), media[4]), True
        elif about and about[1] not in wanted:
            continue
        out.append(line)
    return b"".join(out) if taken else b""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: an extension that has proved itself, or somebody over a trunk.

    Attributes:
        number: Of the extension; of somebody else what the trunk says.
        name: Display name.
        extension: The extension, or None.
        trunk: The trunk, or None.
    """

    number: str
    name: str = ""
    extension: Extension | None = None
    trunk: Trunk | None = None

    def is_extension(self, number: str) -> bool:
        """Return whether it is this extension that calls, and not somebody who shows its number."""
        return self.extension is not None and self.extension.number == number

    def shown_at(self, trunk: Trunk) -> str:
        """Return the number that those called over a trunk see."""
        own = "" if self.extension is None else self.extension.caller_id
        return own or trunk.caller_id or trunk.user or ANONYMOUS
