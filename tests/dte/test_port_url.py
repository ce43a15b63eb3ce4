import pytest

from ansam.dte.port_url import PortUrl, parse_port, parse_ports
from ansam.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "url", "name"),
    [
        ("pty:run/tty", PortUrl("pty", "run/tty"), "pty:run/tty"),
        ("tcp:127.0.0.1:23", PortUrl("tcp", address=("127.0.0.1", 23)), "tcp:127.0.0.1:23"),
        ("rfc2217:[::1]:0", PortUrl("rfc2217", address=("::1", 0)), "rfc2217:[::1]:0"),
        ("unix:/a;dtr=on", PortUrl("unix", "/a", options={"dtr": "on"}), "unix:/a"),
        (
            "serial:/dev/ttyUSB0;speed=57600;rts=on;wires=3",
            PortUrl("serial", "/dev/ttyUSB0", options={"speed": "57600", "rts": "on", "wires": "3"}),
            "serial:/dev/ttyUSB0",
        ),
        ("pty:x;carrier=hangup", PortUrl("pty", "x", options={"carrier": "hangup"}), "pty:x"),
        ("stdio", PortUrl("stdio"), "stdio"),
    ],
)
def test_names(text: str, url: PortUrl, name: str) -> None:
    assert parse_port(text) == url
    assert url.name == name


def test_several() -> None:
    assert [url.kind for url in parse_ports("tcp:127.0.0.1:1, telnet:127.0.0.1:2,unix:x")] == [
        "tcp",
        "telnet",
        "unix",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("usb", "dte 'usb' is not known"),
        ("pty:", "dte 'pty:' is not known"),
        ("stdio:x", "dte 'stdio:x' is not known"),
        ("tcp:x", "dte tcp:x: 'x' is not HOST:PORT"),
        ("ip232:h:65536", "'h:65536' is not HOST:PORT"),
        ("tcp:h:1;speed=9", "option ;speed is not known"),
        ("serial:x;speed=fast", ";speed=fast is out of range"),
        ("serial:x;dtr=dsr;dtr=ri", "option ;dtr stands twice"),
        ("pty:x;a=1", "option ;a is not known"),
        ("tcp:h:1,", "dte '' is not known"),
    ],
)
def test_faults(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("[", r"\[")):
        parse_ports(text)
