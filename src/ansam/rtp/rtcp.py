"""RTCP packets: octets to fields and back (RFC 3550 §6.4 to §6.6).

```
 compound ─► SR or RR (report blocks) │ SDES (CNAME) │ BYE
```

Of what comes only the fields that a call of two ends has a use for are kept; packets of other types (APP,
feedback, extended reports) are stepped over. The parser never reads beyond the datagram.
"""

import struct
from dataclasses import dataclass

from ansam.errors import RemoteProtocolError

SR, RR, SDES, BYE = 200, 201, 202, 203
CNAME = 1

MAX_RTCP = 1500
"""Longest compound packet taken, octets."""

MAX_REPORTS = 31
"""Report blocks in one packet (§6.4.1, a field of 5 bits)."""

CLAUSE = "RFC 3550 §6.4"


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """How one source is received (§6.4.1).

    Attributes:
        ssrc: The source.
        fraction: Packets lost since the report before, in 1/256.
        lost: Packets lost since the beginning; negative where more came than were sent.
        highest: Highest sequence number, extended to 32 bits.
        jitter: Interarrival jitter, timestamp units.
        last_report: Middle 32 bits of the NTP time in the source's last sender report; 0: none came.
        since_report: Time since then, 1/65536 s.
    """

    ssrc: int
    fraction: int = 0
    lost: int = 0
    highest: int = 0
    jitter: int = 0
    last_report: int = 0
    since_report: int = 0


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """What a source says of itself (§6.4.1).

    Attributes:
        ntp: Time of the report, 32.32 bits of seconds.
        timestamp: The same instant as an RTP timestamp.
        packets: Sent so far.
        octets: Of payload, sent so far.
    """

    ntp: int
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Report:
    """A compound packet.

    Attributes:
        ssrc: Who reports.
        sender: None where it has sent nothing lately.
        blocks: How it receives others.
        cname: Its canonical name, "" where it gives none.
        bye: It leaves.
    """

    ssrc: int
    sender: SenderInfo | None = None
    blocks: tuple[ReportBlock, ...] = ()
    cname: str = ""
    bye: bool = False


def parse(data: bytes) -> Report:
    """Return what a compound packet says.

    Args:
        data: One whole datagram.

    Raises:
        RemoteProtocolError: Not RTCP that begins with a report, or its lengths contradict each other
            (appendix A.2).
    """
    if not 8 <= len(data) <= MAX_RTCP or len(data) % 4:
        raise RemoteProtocolError(f"RTCP packet of {len(data)} octets", CLAUSE, data)
    if data[1] not in (SR, RR):
        raise RemoteProtocolError(f"RTCP begins with type {data[1]}", "RFC 3550 §6.1", data)
    (ssrc,) = struct.unpack_from("!I", data, 4)
    sender: SenderInfo | None = None
    blocks: tuple[ReportBlock, ...] = ()
    cname, bye = "", False
    for kind, count, body in _packets(data):
        if kind in (SR, RR) and body[:4] == data[4:8]:
            if kind == SR:
                sender = _sender(body)
            blocks += _blocks(body[24 if kind == SR else 4 :], count)
        elif kind == SDES:
            cname = cname or _cname(body, ssrc)
        elif kind == BYE:
            bye = bye or ssrc in struct.unpack_from(f"!{min(count, len(body) // 4)}I", body)
    return Report(ssrc, sender, blocks[:MAX_REPORTS], cname, bye)


def _packets(data: bytes) -> list[tuple[int, int, bytes]]:
    """Cut a compound packet; return type, count and body of each packet."""
    found = []
    at = 0
    while at < len(data):
        first, kind, words = struct.unpack_from("!BBH", data, at)
        end = at + 4 + 4 * words
        padding = data[-1] if first & 0x20 else 0
        # Only the last packet may be padded.
        if first >> 6 != 2 or end > len(data) or (first & 0x20 and end != len(data)):
            raise RemoteProtocolError("RTCP packet malformed", "RFC 3550 A.2", data)
        if first & 0x20 and not 0 < padding <= end - at - 4:
            raise RemoteProtocolError(f"RTCP padding of {padding} octets", CLAUSE, data)
        found.append((kind, first & 31, data[at + 4 : end - padding]))
        at = end
    return found


def _sender(body: bytes) -> SenderInfo:
    if len(body) < 24:
        raise RemoteProtocolError("RTCP sender report cut off", CLAUSE, body)
    return SenderInfo(*struct.unpack_from("!QIII", body, 4))


def _blocks(body: bytes, count: int) -> tuple[ReportBlock, ...]:
    if len(body) < 24 * count:
        raise RemoteProtocolError(f"RTCP report without its {count} blocks", CLAUSE, body)
    found = []
    for at in range(0, 24 * count, 24):
        ssrc, loss, *rest = struct.unpack_from("!IIIIII", body, at)
        lost = loss & 0xFFFFFF
        found.append(ReportBlock(ssrc, loss >> 24, lost - (lost >> 23 << 24), *rest))
    return tuple(found)


def _cname(body: bytes, ssrc: int) -> str:
    """Return the canonical name in the first chunk (§6.5), "" if it is another source's or has none."""
    if len(body) < 4 or body[:4] != struct.pack("!I", ssrc):
        return ""
    at = 4
    while at + 2 <= len(body) and body[at]:
        kind, length = body[at], body[at + 1]
        if kind == CNAME:
            return body[at + 2 : at + 2 + length].decode("utf-8", "replace")
        at += 2 + length
    return ""


def build(report: Report) -> bytes:
    """Return the octets of a compound packet: report, SDES with the CNAME, and BYE where it leaves."""
    blocks = b"".join(_block(block) for block in report.blocks)
    ssrc = struct.pack("!I", report.ssrc)
    if report.sender is None:
        out = _packet(RR, len(report.blocks), ssrc + blocks)
    else:
        one = report.sender
        info = struct.pack("!QIII", one.ntp, one.timestamp, one.packets & 0xFFFFFFFF, one.octets & 0xFFFFFFFF)
        out = _packet(SR, len(report.blocks), ssrc + info + blocks)
    name = report.cname.encode()
    # A null octet ends the items, more of them fill up the word (§6.5).
    item = bytes((CNAME, len(name))) + name
    out += _packet(SDES, 1, ssrc + item + bytes(4 - len(item) % 4))
    return out + _packet(BYE, 1, ssrc) if report.bye else out


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def _block(block: ReportBlock) -> bytes:
    loss = block.fraction << 24 | (max(-0x800000, min(block.lost, 0x7FFFFF)) & 0xFFFFFF)
    return struct.pack(
        "!IIIIII",
        block.ssrc,
        loss,
        block.highest & 0xFFFFFFFF,
        block.jitter & 0xFFFFFFFF,
        block.last_report,
        block.since_report & 0xFFFFFFFF,
    )
