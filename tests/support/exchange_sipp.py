"""Scenarios for sipp (sip-tester): registering, calling and being called with digest authentication."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.waiting import listens, until

from ansam.sip.events import Address

HEAD = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="ansam">\n'
VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]"
SDP = """v=0
o=sipp 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio 6000 RTP/AVP 8
a=rtpmap:8 PCMA/8000
"""


def send(text: str, body: str = "", attributes: str = "") -> str:
    length = "Content-Type: application/sdp\nContent-Length: [len]" if body else "Content-Length: 0"
    return f"<send {attributes}><![CDATA[\n\n{text}\n{length}\n\n{body}\n]]></send>\n"


def receive(status: int, attributes: str = "") -> str:
    return f'<recv response="{status}" {attributes}/>\n'


def optional(*statuses: int) -> str:
    return "".join(receive(status, 'optional="true"') for status in statuses)


def request(method: str, user: str, to: str, cseq: int, extra: Sequence[str] = (), via: str = VIA) -> str:
    user_part = "" if method == "REGISTER" else f"{to}@"
    lines = [
        f"{method} sip:{user_part}[remote_ip]:[remote_port] SIP/2.0",
        via,
        f"From: <sip:{user}@[remote_ip]>;tag=[pid]t[call_number]",
        f"To: <sip:{to}@[remote_ip]>" + ("[peer_tag_param]" if method in ("ACK", "BYE") else ""),
        "Call-ID: [call_id]",
        f"CSeq: {cseq} {method}",
        f"Contact: <sip:{user}@[local_ip]:[local_port]>",
        "Max-Forwards: 70",
        *extra,
    ]
    return "\n".join(lines)


def credentials(user: str, secret: str) -> str:
    return f"[authentication username={user} password={secret}]"


def register(user: str, secret: str, expected: int = 200) -> str:
    return (
        HEAD
        + send(request("REGISTER", user, user, 1, ["Expires: 600"]), attributes='retrans="500"')
        + receive(401, 'auth="true"')
        + send(
            request("REGISTER", user, user, 2, [credentials(user, secret), "Expires: 600"]),
            attributes='retrans="500"',
        )
        + receive(expected)
        + "</scenario>\n"
    )


def authenticated_invite(user: str, secret: str, to: str) -> str:
    ack = request("ACK", user, to, 1, via="[last_Via:]")
    return (
        send(request("INVITE", user, to, 1), SDP, 'retrans="500"')
        + optional(100)
        + receive(401, 'auth="true"')
        + send(ack)
        + send(request("INVITE", user, to, 2, [credentials(user, secret)]), SDP, 'retrans="500"')
    )


def call_refused(user: str, secret: str, to: str, status: int) -> str:
    return (
        HEAD
        + authenticated_invite(user, secret, to)
        + optional(100, 180)
        + receive(status)
        + send(request("ACK", user, to, 2, via="[last_Via:]"))
        + "</scenario>\n"
    )


def call_answered(user: str, secret: str, to: str) -> str:
    return (
        HEAD
        + authenticated_invite(user, secret, to)
        + optional(100, 180)
        + receive(200)
        + send(request("ACK", user, to, 2))
        + '<pause milliseconds="200"/>\n'
        + send(request("BYE", user, to, 3), attributes='retrans="500"')
        + receive(200)
        + "</scenario>\n"
    )


def call_cancelled(user: str, secret: str, to: str) -> str:
    return (
        HEAD
        + authenticated_invite(user, secret, to)
        + optional(100)
        + receive(180)
        + send(request("CANCEL", user, to, 2, via="[last_Via:]"), attributes='retrans="500"')
        + receive(200)
        + receive(487)
        + send(request("ACK", user, to, 2, via="[last_Via:]"))
        + "</scenario>\n"
    )


def response(status: int, text: str, cseq: str = "[last_CSeq:]") -> str:
    return "\n".join(
        [
            f"SIP/2.0 {status} {text}",
            "[last_Via:]",
            "[last_From:]",
            "[last_To:];tag=[pid]u[call_number]",
            "[last_Call-ID:]",
            cseq,
            "Contact: <sip:[local_ip]:[local_port]>",
        ]
    )


RINGING = '<recv request="INVITE" crlf="true"/>\n' + send(response(180, "Ringing"))

ANSWERS = (
    HEAD
    + RINGING
    + send(response(200, "OK"), SDP, 'retrans="500"')
    + '<recv request="ACK"/>\n<recv request="BYE"/>\n'
    + send(response(200, "OK").replace(";tag=[pid]u[call_number]", ""))
    + "</scenario>\n"
)
BUSY = (
    HEAD
    + RINGING
    + send(response(486, "Busy Here"), attributes='retrans="500"')
    + '<recv request="ACK"/>\n</scenario>\n'
)
RINGS_ON = (
    HEAD
    + RINGING
    + '<recv request="CANCEL"/>\n'
    + send(response(200, "OK"))
    + send(response(487, "Request Terminated", "CSeq: [cseq] INVITE"), attributes='retrans="500"')
    + '<recv request="ACK"/>\n</scenario>\n'
)


@asynccontextmanager
async def sipp(
    directory: Path, name: str, scenario: str, server: Address, port: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run one call of a scenario; yield the process once it listens."""
    file = directory / f"{name}.xml"
    file.write_text(scenario)
    process = await asyncio.create_subprocess_exec(
        "sipp", "-sf", str(file), "-m", "1", "-i", "127.0.0.1", "-p", str(port), "-nostdin",
        "-timeout", "15", "-timeout_error", "-trace_err", "-error_file", str(directory / f"{name}.err"),
        "-trace_msg", "-message_file", str(directory / f"{name}.log"),
        f"{server[0]}:{server[1]}",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await until(lambda: listens(port) or process.returncode is not None)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def sipp_succeeds(directory: Path, name: str, scenario: str, server: Address, port: int) -> None:
    async with sipp(directory, name, scenario, server, port) as process:
        code = await process.wait()
    assert code == 0, explain(directory, name)


def explain(directory: Path, name: str) -> str:
    texts = []
    for suffix in ("err", "log"):
        file = directory / f"{name}.{suffix}"
        if file.exists():
            texts.append(file.read_text(errors="replace")[-4000:])
    return "\n".join(texts)
