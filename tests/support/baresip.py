"""Debian's baresip: a directory it runs from."""

import wave
from pathlib import Path

from tests.support.sip_socket import free_port

CONFIG = """
poll_method epoll
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
audio_player aufile,{directory}/played.wav
audio_source aufile,{directory}/tone.wav
audio_alert aufile,{directory}/alert.wav
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module_app account.so
module_app menu.so
"""


def prepare(directory: Path, account: str) -> None:
    """Write its configuration, its one account, and 5 s of a tone that it sends."""
    (directory / "config").write_text(CONFIG.format(port=free_port(), directory=directory))
    (directory / "accounts").write_text(f"{account}\n")
    with wave.open(str(directory / "tone.wav"), "wb") as tone:
        tone.setnchannels(1)
        tone.setsampwidth(2)
        tone.setframerate(8000)
        tone.writeframes(b"\x00\x20\x00\xe0" * 20_000)
