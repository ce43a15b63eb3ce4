"""An extension for modems as other exchanges and telephones write it down.

Kamailio's (5.6) and baresip's (1.0) are proved against the programs (`interop/test_adaptor_snippets.py`).
Those of Asterisk (pjsip.conf), FreeSWITCH (directory) and 3CX are not: no test runs these, and their option
names come from public configurations.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

from ansam.adaptor.settings import LawName
from ansam.errors import ConfigError

PAYLOADS: dict[LawName, str] = {"alaw": "PCMA", "ulaw": "PCMU"}
"""Names of the codecs in session descriptions (RFC 3551 §6)."""


@dataclass(frozen=True, slots=True)
class Line:
    """The extension.

    Attributes:
        number: As dialled.
        secret: Its password.
        name: Display name, or "".
        host: Of the exchange.
        port: Of the exchange.
        law: Of the calls.
    """

    number: str
    secret: str = field(repr=False)
    name: str = ""
    host: str = "127.0.0.1"
    port: int = 5060
    law: LawName = "alaw"

    def __post_init__(self) -> None:
        for what, text in (("number", self.number), ("secret", self.secret), ("name", self.name)):
            if not text.isprintable():
                raise ConfigError(
                    f"{what} of extension {self.number!r} has control characters", "remove them"
                )


def asterisk(line: Line) -> str:
    """Return blocks of ``pjsip.conf``."""
    number, secret, name = line.number, line.secret.replace(";", r"\;"), line.name.replace(";", r"\;")
    if secret != secret.strip() or re.search(r"[\[\]\\]", line.number + line.name):
        raise ConfigError(f"extension {number} can not be written into pjsip.conf", "another secret or name")
    caller = f'callerid = "{name}" <{number}>\n' if name and '"' not in name else ""
    return f"""\
; pjsip.conf: extension {number} for a modem
[{number}]
type = endpoint
context = default          ; where its calls go in extensions.conf
aors = {number}
auth = auth-{number}
{caller}disallow = all
allow = {line.law}               ; nothing to transcode to
direct_media = yes         ; the shortest way: no packet passes Asterisk
t38_udptl = no             ; a modem is no fax
fax_detect = no
dtmf_mode = rfc4733        ; inband and auto would listen to the audio, and change it
rtp_symmetric = yes
force_rport = yes
rewrite_contact = yes
device_state_busy_at = 1   ; a modem has one call

[auth-{number}]
type = auth
auth_type = userpass
username = {number}
password = {secret}

[{number}]
type = aor
max_contacts = 1
remove_existing = yes

; In extensions.conf, for calls of modems: no JITTERBUFFER(), VOLUME(), DENOISE(), AGC() or MixMonitor().
; Both ends of a call must say {line.law}, or Asterisk transcodes.
"""


def freeswitch(line: Line) -> str:
    """Return ``conf/directory/default/NUMBER.xml``."""
    codec = PAYLOADS[line.law]
    rows = {
        "user_context": "default",
        "effective_caller_id_name": line.name or line.number,
        "effective_caller_id_number": line.number,
        "max_calls": "1",
        "absolute_codec_string": codec,
        "bypass_media": "true",
        "fax_enable_t38": "false",
        "fax_enable_t38_request": "false",
        "t38_passthru": "false",
        "suppress_cng": "true",
        "rtp_autofix_timing": "false",
        "rtp_jitter_buffer_plc": "false",
    }
    variables = "".join(
        f"      <variable name={quoteattr(name)} value={quoteattr(value)}/>\n" for name, value in rows.items()
    )
    return f"""\
<!-- A file of conf/directory/default: an extension for a modem. In the sofia profile: inbound-codec-prefs and
     outbound-codec-prefs {codec}, disable-transcoding true, vad none, and no jitterbuffer_msec; in the dial
     plan no start_dtmf, no spandsp_start_t38 and no record_session for its calls. -->
<include>
  <user id={quoteattr(line.number)}>
    <params>
      <param name="password" value={quoteattr(line.secret)}/>
    </params>
    <variables>
{variables}    </variables>
  </user>
</include>
"""


def three_cx(line: Line) -> str:
    """Return what to set in 3CX' management console, which takes no text."""
    codec = "G.711 A-law" if line.law == "alaw" else "G.711 U-law"
    return f"""\
3CX management console, extension {line.number} for a modem:
  General > Extension             {line.number}
  General > Authentication ID     {line.number}
  General > Authentication Password   {line.secret}
  General > Voicemail             off: a modem that calls must hear busy, not a voice
  Options > Codecs                {codec} alone
  Options > PBX delivers audio    off: the audio goes straight between the two ends
  Options > Supports re-invite    on
  Options > Supports SRTP         off
  Options > Record calls          off
Trunk that its calls leave by: Codecs {codec} alone, T.38 off, PBX delivers audio off.
"""


KAMAILIO_MODULES = (
    *("tm", "sl", "rr", "pv", "maxfwd", "usrloc", "registrar"),
    *("siputils", "textops", "auth", "htable"),
)
KAMAILIO_ROUTES = """
request_route {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    if (has_totag()) {
        if (loose_route()) { t_relay(); exit; }
        if (is_method("ACK") && t_check_trans()) { t_relay(); }
        exit;
    }
    if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
    if (!is_method("REGISTER|INVITE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
    if ($sht(secrets=>$fU) == $null) { sl_send_reply("403", "Forbidden"); exit; }
    if (is_method("REGISTER")) {
        if ($tU != $fU) { sl_send_reply("403", "Forbidden"); exit; }
        if (!pv_www_authenticate("ansam", "$sht(secrets=>$fU)", "0") || $au != $fU) {
            www_challenge("ansam", "1");
            exit;
        }
        save("location");
        exit;
    }
    if (!pv_proxy_authenticate("ansam", "$sht(secrets=>$fU)", "0") || $au != $fU) {
        proxy_challenge("ansam", "1");
        exit;
    }
    consume_credentials();
    record_route();
    if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
    t_relay();
}
"""


def kamailio(line: Line) -> str:
    """Return a ``kamailio.cfg`` in which the extension registers, calls and is called."""
    if re.search(r'["\\;=$#`]', line.secret) or not re.fullmatch(r"[\w.+-]+", line.number):
        raise ConfigError(
            f"extension {line.number} can not be written into kamailio.cfg",
            r'the secret must have none of " \ ; = $ # `, the number only 0-9 A-Z a-z _ . + -',
        )
    modules = "".join(f'loadmodule "{name}.so"\n' for name in KAMAILIO_MODULES)
    address = f"[{line.host}]" if ":" in line.host else line.host
    return f"""\
#!KAMAILIO
# kamailio.cfg: a registrar and proxy that leaves the audio alone, as modems need it.
children=2
auto_aliases=no
listen=udp:{address}:{line.port}
listen=tcp:{address}:{line.port}
{modules}modparam("usrloc", "db_mode", 0)
modparam("rr", "enable_full_lr", 1)
modparam("htable", "htable", "secrets=>size=8;")
event_route[htable:mod-init] {{
    # One line for each extension.
    $sht(secrets=>{line.number}) = "{line.secret}";
}}
{KAMAILIO_ROUTES}"""


def baresip(line: Line) -> str:
    """Return a line of baresip's file ``accounts``."""
    if re.search(r'[;,"<>\\\s]', line.secret):
        raise ConfigError(
            f"the secret of extension {line.number} can not be written into baresip's accounts",
            'it must have none of ; , " < > \\ and no spaces',
        )
    if re.search(r"[@;<>#%]", line.number):
        raise ConfigError(f"number {line.number} can not be written into baresip's accounts")
    name = f'"{line.name}" ' if line.name and not re.search(r'["\\<>]', line.name) else ""
    host = f"[{line.host}]" if ":" in line.host else line.host
    return f"""\
# ~/.baresip/accounts: extension {line.number}. In ~/.baresip/config neither plc.so nor speex_pp.so: they
# change the audio, and a jitter buffer of one length: "jitter_buffer_delay 5-5".
{name}<sip:{line.number}@{host}:{line.port}>;auth_user={line.number};auth_pass={line.secret};\
audio_codecs={PAYLOADS[line.law].lower()};ptime=20;regint=600
"""


SYSTEMS: Mapping[str, Callable[[Line], str]] = {
    "asterisk": asterisk,
    "freeswitch": freeswitch,
    "3cx": three_cx,
    "kamailio": kamailio,
    "baresip": baresip,
}
"""By name on the command line."""
