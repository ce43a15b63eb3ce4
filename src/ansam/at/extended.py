"""Extended commands: +MS and the other V.250 commands that have an effect here, and #CID.

A command this modem could only pretend to obey (+EB, +ESR ...) is ERROR: an initialisation string that asks
for it then fails where it can be seen.
"""

from dataclasses import astuple

from ansam.at import link_settings, v8_settings
from ansam.at.capabilities import Capabilities
from ansam.at.grammar import CommandRefused, Extended
from ansam.at.results import Connect
from ansam.at.settings import ModulationChoice, Settings

_FORMATS = range(7)
_PARITIES = range(4)

_FLOW_BY_DTE = {0: {"&I": 0, "&R": 1}, 1: {"&I": 2, "&R": 1}, 2: {"&I": 0, "&R": 2}}
"""+IFC, how the terminal stops the modem: not, XON/XOFF, circuit 133 (V.250 (07/2003) §6.2.12)."""

_FLOW_BY_DCE = {0: {"&H": 0}, 1: {"&H": 2}, 2: {"&H": 1}}
"""+IFC, how the modem stops the terminal: not, XON/XOFF, circuit 106."""


def execute_extended(command: Extended, settings: Settings, capabilities: Capabilities) -> str | None:
    """Execute one extended command.

    Returns:
        The information text to show, or None.

    Raises:
        CommandRefused: Unknown, or a value that is not supported.
    """
    name = command.name
    if name in settings.personality.commands:
        return _parameter(name, command, settings)
    if name not in settings.personality.extended:
        raise CommandRefused(f"{name} is not known")
    if name in _IDENTITY:
        if command.operation == "=?":
            return None
        return _identity(name, command, settings, capabilities)
    if name == "+MS":
        return _modulation(command, settings, capabilities)
    if name in link_settings.FIELDS:
        return _link(command, settings, capabilities)
    if name == "+A8E":
        settings.v8, text = v8_settings.execute(command, settings.v8)
        return text
    if name == "+IFC":
        return _flow(command, settings)
    return _character_format(command, settings)


def connection_reports(connect: Connect, settings: Settings) -> list[str]:
    """Return the intermediate reports that stand before CONNECT.

    Source: V.250 (07/2003) §6.4.3 (+MR), §6.5.5 (+ER), §6.6.2 (+DR).
    """
    reports = []
    if settings["+MR"]:
        reports += [f"+MCR: {connect.carrier}"] if connect.carrier else []
        both = connect.tx_rate and connect.tx_rate != connect.rate
        reports.append(f"+MRR: {connect.tx_rate},{connect.rate}" if both else f"+MRR: {connect.rate}")
    if settings["+ER"]:
        reports.append(f"+ER: {connect.protocol if connect.arq else 'NONE'}")
    if settings["+DR"]:
        names = {"": "NONE", "V42BIS": "V42B"}
        reports.append(f"+DR: {names.get(connect.compression, connect.compression)}")
    return reports


_IDENTITY = ("+GMI", "+GMM", "+GMR", "+GSN", "+GCAP")


def _identity(name: str, command: Extended, settings: Settings, capabilities: Capabilities) -> str:
    if command.operation not in ("", "?"):
        raise CommandRefused(f"{name} can not be set")
    if name == "+GSN" and not capabilities.serial:
        raise CommandRefused("+GSN: there is no serial number")
    return {
        "+GMI": capabilities.product,
        "+GMM": settings.personality.title,
        "+GMR": capabilities.version,
        "+GSN": capabilities.serial,
        "+GCAP": "+GCAP: +MS" + (",+ES,+DS" if capabilities.error_control else ""),
    }[name]


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise CommandRefused(f"{what}: {text!r} is not a number")
    return int(text)


def _parameter(name: str, command: Extended, settings: Settings) -> str | None:
    """Execute one that holds a number. The makers' own (#CID) and +FCLASS show it bare."""
    row = settings.personality.commands[name]
    bare = name[0] != "+" or name == "+FCLASS"
    if command.operation == "?":
        return f"{settings[row.key]}" if bare else f"{name}: {settings[row.key]}"
    if command.operation == "=?":
        values = ",".join(map(str, row.allowed))
        return values if bare else f"{name}: ({values})"
    if command.operation == "" or len(command.values) != 1:
        raise CommandRefused(f"{name} takes one value")
    value = _number(command.values[0], name)
    if value not in row.allowed:
        raise CommandRefused(f"{name}={value} is not supported")
    settings[row.key] = value
    for key, other in row.sets.get(value, {}).items():
        settings[key] = other
    return None


def _carrier(text: str, settings: Settings) -> str:
    """Return the name of a carrier, which some makes number."""
    if text.isascii() and text.isdigit():
        return settings.personality.carriers.get(int(text), text)
    return text.upper()


def _shown_carrier(name: str, settings: Settings) -> str:
    numbers = {name: number for number, name in reversed(list(settings.personality.carriers.items()))}
    return str(numbers.get(name, name))


def _modulation(command: Extended, settings: Settings, capabilities: Capabilities) -> str | None:
    """Execute +MS; of its six values, those left out stay as they are (V.250 (07/2003) §6.4.1)."""
    names = list(capabilities.modulations)
    if command.operation == "?":
        choice = settings.modulation
        carrier = _shown_carrier(choice.carrier or (names[-1] if names else ""), settings)
        return f"+MS: {carrier},{int(choice.automode)},{','.join(map(str, astuple(choice)[2:]))}"
    rates = sorted(capabilities.rates)
    if command.operation == "=?":
        window = f"({','.join(map(str, [0, *rates]))})"
        names = [_shown_carrier(name, settings) for name in names]
        return f"+MS: ({','.join(names)}),(0,1),{window},{window},{window},{window}"
    if command.operation == "" or len(command.values) > 6:
        raise CommandRefused("+MS takes up to six values")
    now = settings.modulation
    old = [now.carrier, str(int(now.automode)), *map(str, astuple(now)[2:])]
    given = [*command.values, *[""] * (6 - len(command.values))]
    new = [value or kept for value, kept in zip(given, old, strict=True)]
    carrier = _carrier(new[0], settings)
    if carrier and carrier not in capabilities.modulations:
        raise CommandRefused(f"+MS: carrier {carrier} is not offered")
    automode, *limits = (_number(value, "+MS") for value in new[1:])
    if automode > 1 or any(rate and rate not in capabilities.rates for rate in limits):
        raise CommandRefused(f"+MS: {','.join(command.values)} holds a value that is not offered")
    for low, high in (limits[:2], limits[2:]):
        if high and low > high:
            raise CommandRefused(f"+MS: lowest rate {low} is above highest rate {high}")
    settings.modulation = ModulationChoice(carrier, bool(automode), *limits)
    return None


def _link(command: Extended, settings: Settings, capabilities: Capabilities) -> str | None:
    """Execute +ES, +DS or +DS44, and keep &M and &K in step with them."""
    if not capabilities.error_control:
        raise CommandRefused(f"{command.name}: there is no error control")
    new, text = link_settings.execute(command, settings.link)
    if text is None:
        settings["&M"] = link_settings.m_of_es(new.es)
        settings["&K"] = int(new.ds[0] != 0 or new.ds44[0] != 0) and (settings["&K"] or 1)
        settings.link = new  # last: &M and &K write short forms of it
    return text


def _flow(command: Extended, settings: Settings) -> str | None:
    if command.operation == "=?":
        return "+IFC: (0,1,2),(0,1,2)"
    by_dce = {0: 0, 1: 2, 2: 1, 3: 2}[settings["&H"]]
    by_dte = 2 if settings["&R"] == 2 else int(settings["&I"] != 0)
    if command.operation == "?":
        return f"+IFC: {by_dte},{by_dce}"
    if command.operation == "" or not 1 <= len(command.values) <= 2:
        raise CommandRefused("+IFC takes up to two values")
    first, second = (*command.values, "")[:2]
    by_dte = _number(first, "+IFC") if first else by_dte
    by_dce = _number(second, "+IFC") if second else by_dce
    if by_dte not in _FLOW_BY_DTE or by_dce not in _FLOW_BY_DCE:
        raise CommandRefused(f"+IFC={by_dte},{by_dce} is not supported")
    for name, value in {**_FLOW_BY_DTE[by_dte], **_FLOW_BY_DCE[by_dce]}.items():
        settings[name] = value
    return None


def _character_format(command: Extended, settings: Settings) -> str | None:
    if command.operation == "?":
        return "+ICF: {},{}".format(*settings.character_format)
    if command.operation == "=?":
        return "+ICF: (0-6),(0-3)"
    if command.operation == "" or not 1 <= len(command.values) <= 2:
        raise CommandRefused("+ICF takes up to two values")
    form, parity = settings.character_format
    first, second = (*command.values, "")[:2]
    form = _number(first, "+ICF") if first else form
    parity = _number(second, "+ICF") if second else parity
    if form not in _FORMATS or parity not in _PARITIES:
        raise CommandRefused(f"+ICF={form},{parity} is not supported")
    settings.character_format = (form, parity)
    return None
