"""Writing ``spa.xml``: what an adaptor fetches and sets itself up by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from ansam.adaptor.settings import LINE, LawName, Model, settings_of, tag
from ansam.errors import ConfigError

DIAL_PLAN = "(*xx|xx.)"
"""Service codes, and any digits. The plan as delivered takes North American numbers, no 05."""

EXPIRES_LIMIT = 86_400


@dataclass(frozen=True, slots=True)
class Account:
    """An extension on a line of the adaptor.

    Attributes:
        line: 1 or 2.
        proxy: Address of the exchange, ``HOST`` or ``HOST:PORT``.
        user_id: The extension.
        password: Its secret.
        auth_id: Name that the password proves; "" is the extension.
        display_name: Shown to those it calls.
        outbound_proxy: Where everything is sent instead, or "".
        register_expires: Seconds between registrations.
    """

    line: int
    proxy: str
    user_id: str
    password: str = field(repr=False)
    auth_id: str = ""
    display_name: str = ""
    outbound_proxy: str = ""
    register_expires: int = 3600

    def __post_init__(self) -> None:
        if not 1 <= self.register_expires <= EXPIRES_LIMIT:
            raise ConfigError(f"Register Expires {self.register_expires}", f"1 to {EXPIRES_LIMIT} seconds")
        for name, value in self.values():
            if not value.isprintable():
                raise ConfigError(f"{name} of line {self.line} has control characters", "remove them")

    def values(self) -> Iterator[tuple[str, str]]:
        """Yield name on the page and value."""
        yield "Line Enable", "yes"
        yield "Proxy", self.proxy
        yield "Outbound Proxy", self.outbound_proxy
        yield "Use Outbound Proxy", "yes" if self.outbound_proxy else "no"
        yield "Register", "yes"
        yield "Register Expires", str(self.register_expires)
        yield "Display Name", self.display_name
        yield "User ID", self.user_id
        yield "Password", self.password
        yield "Use Auth ID", "yes" if self.auth_id else "no"
        yield "Auth ID", self.auth_id
        yield "Dial Plan", DIAL_PLAN


def spa_xml(accounts: Sequence[Account], model: Model = Model.PAP2T, law: LawName = "alaw") -> str:
    """Return the profile of an adaptor.

    Args:
        accounts: At least one; each line once. A line that is not there is left as it is.
        model: Make of adaptor.
        law: Of the calls.

    Raises:
        ConfigError: The adaptor has no such line, or a line is there twice.
    """
    lines = [account.line for account in accounts]
    for line in lines:
        if line not in model.lines:
            raise ConfigError(
                f"{model.value} has no line {line}", f"it has {', '.join(map(str, model.lines))}"
            )
    if not lines or len(set(lines)) < len(lines):
        raise ConfigError(f"lines {lines} of an adaptor", "name at least one, and each once")
    settings = settings_of(model)
    rows = [(one.tag(0), one.wanted_for(law)) for one in settings if one.page != LINE]
    for account in accounts:
        rows += [(tag(name, account.line), value) for name, value in account.values()]
        rows += [(one.tag(account.line), one.wanted_for(law)) for one in settings if one.page == LINE]
    # ua="na": whoever uses the telephone can not change it.
    body = "".join(f'  <{name} ua="na">{escape(value)}</{name}>\n' for name, value in rows)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<flat-profile>\n{body}</flat-profile>\n'
