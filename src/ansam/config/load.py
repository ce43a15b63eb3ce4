"""Reading a configuration: TOML, the schema, the engines' own settings, then what must fit together."""

import re
import tomllib
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path as FilePath
from typing import Any, TypeVar

from pydantic import ValidationError

from ansam.adaptor.provisioning import clean_mac
from ansam.answer.service_url import BridgeTarget, parse_service
from ansam.answer.settings import AnswerSettings
from ansam.answer.users import Bbs, Command, Entry, Menu, Ppp, User
from ansam.config.bbs import BbsConfig, read_area, read_bbs, read_door, read_files
from ansam.config.exchange import read_callback, read_exchange, read_group, read_rule, read_trunk
from ansam.config.modems import answers, read_modem
from ansam.config.places import Path, Places
from ansam.config.ppp import PppConfig, read_ppp
from ansam.config.problems import ConfigProblems, Culprit, Problem, place, section_name, translate
from ansam.config.provisioning import (
    ProvisioningConfig,
    exchange_address,
    read_adaptor,
    read_provisioning,
)
from ansam.config.schema import (
    File,
    ModemSection,
    Section,
    ServicesSection,
    UserSection,
)
from ansam.config.settings import Config, ExchangeConfig, LogConfig, MgettyPaths, ModemConfig
from ansam.config.web import read_web
from ansam.errors import AnsamError, ConfigError
from ansam.pbx.callbacks import CallBack
from ansam.pbx.dialplan import NUMBER, DialPlan, Extension, PlanError
from ansam.pbx.groups import Group
from ansam.pbx.settings import Service
from ansam.pbx.trunks import Trunk

FILE_LIMIT = 1 << 20
"""Octets of a configuration; a larger file is none."""

_T = TypeVar("_T")


def read_text(path: FilePath) -> str:
    """Return the text of a configuration file.

    Raises:
        ConfigError: It is not there, cannot be read, is too large or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except FileNotFoundError:
        remedy = f"`ansam config example > {path}` writes one"
        raise ConfigError(f"{path}: there is no such file", remedy) from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if len(data) > FILE_LIMIT:
        raise ConfigError(f"{path}: larger than {FILE_LIMIT} octets", "is this the right file?")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8", "save the file as UTF-8") from None


def load(path: str | FilePath) -> Config:
    """Read a configuration file.

    Raises:
        ConfigError: The file cannot be read, or something in it is wrong (`ConfigProblems`: all faults).
    """
    return parse(read_text(FilePath(path)), str(path))


def parse(text: str, file: str = "ansam.toml") -> Config:
    """Read the text of a configuration.

    Args:
        text: TOML.
        file: Its name, for messages.

    Raises:
        ConfigProblems: All faults found.
    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigProblems([_syntax_problem(file, str(error))]) from None
    places = Places(text)
    try:
        parsed = File.model_validate(data)
    except ValidationError as error:
        problems = translate(file, places, [dict(e) for e in error.errors(include_url=False)], data)
        raise ConfigProblems(problems) from None
    return _Builder(file, places).build(parsed)


def _syntax_problem(file: str, text: str) -> Problem:
    found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", text, re.DOTALL)
    if found is None:
        return Problem(file, f"not TOML: {text.lower()}")
    return Problem(f"{file}:{found[2]}", f"not TOML: {found[1].lower()} at column {found[3]}")


class _Builder:
    """Makes the engines' settings of the sections and collects every fault on the way."""

    def __init__(self, file: str, places: Places) -> None:
        self._file = file
        self._places = places
        self._problems: list[Problem] = []

    def build(self, parsed: File) -> Config:
        exchange = None
        if parsed.exchange is not None:
            taken = [e.number for e in parsed.extension] + [g.number for g in parsed.group]
            taken += [c.number for c in parsed.callback]
            services = self._services(parsed.services, taken)
            exchange = self._try(("exchange",), lambda: read_exchange(parsed.exchange, services))
        elif "services" in parsed.model_fields_set:
            self._add(("services",), "services without an exchange", "add a section [exchange]")
        extensions = self._each("extension", parsed.extension, lambda e: Extension(**e.model_dump()))
        groups = self._each("group", parsed.group, read_group)
        rules = self._each("rule", parsed.rule, read_rule)
        trunks = self._each("trunk", parsed.trunk, read_trunk)
        callbacks = self._each("callback", parsed.callback, read_callback)
        self._once("callback", "number", [c.number for c in parsed.callback])
        self._once("rule", "pattern", [(r.pattern, *r.callers) for r in parsed.rule])
        self._once("trunk", "name", [t.name for t in parsed.trunk])
        secrets = {extension.number: extension.secret for extension in extensions}
        modems = self._each("modem", parsed.modem, lambda m: read_modem(m, secrets))
        users = self._each("user", parsed.user, _user)
        bbs = self._bbs(parsed)
        ppp = self._ppp(parsed, users)
        answer = self._try(("answer",), lambda: _answer(parsed.answer))
        mgetty = self._try(("answer",), lambda: _mgetty(parsed.answer))
        self._once("extension", "number", [e.number for e in parsed.extension])
        self._once("modem", "name", [m.name for m in parsed.modem])
        self._once(
            "modem",
            "dte",
            [i if answers(m.dte) else m.dte for i, m in enumerate(parsed.modem)],
        )
        self._once("user", "name", [u.name for u in parsed.user])
        for name in ("extension", "group", "rule", "trunk", "callback"):
            if getattr(parsed, name) and parsed.exchange is None:
                self._add((name, 0), f"{name}s without an exchange", "add a section [exchange]")
        if not self._problems:
            self._check_plan(parsed, extensions, groups, callbacks, exchange)
            self._check_trunks(parsed, trunks, extensions)
        if exchange is not None and modems:
            self._check_lines(parsed.modem, modems, exchange, secrets)
        provisioning = self._provisioning(parsed, exchange, extensions)
        web = self._try(("web",), lambda: read_web(parsed.web, parsed.user))
        if self._problems or answer is None or provisioning is None or web is None:
            raise ConfigProblems(sorted(self._problems, key=lambda problem: problem.line))
        return Config(
            path=self._file,
            exchange=exchange,
            extensions=tuple(extensions),
            groups=tuple(groups),
            rules=tuple(rules),
            trunks=tuple(trunks),
            callbacks=tuple(callbacks),
            modems=tuple(modems),
            answer=answer,
            files=str(getattr(parsed.answer, "files", "")),
            mgetty=mgetty,
            users=tuple(users),
            bbs=bbs,
            ppp=ppp,
            provisioning=provisioning,
            web=web,
            log=LogConfig(parsed.log.level, parsed.log.format),
        )

    def _add(self, path: Path, text: str, remedy: str = "") -> None:
        self._problems.append(Problem(place(self._file, self._places, path), text, remedy))

    def _try(self, path: Path, make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except AnsamError as error:
            culprit = path
            key = getattr(error, "key", None)
            if key is not None:
                culprit = (*path, key)
            self._add(culprit, f"{section_name(path)} {error.message}", error.remedy)
            return None

    def _each(self, name: str, sections: Iterable[Any], make: Callable[[Any], _T]) -> list[_T]:
        made = [self._try((name, index), lambda s=section: make(s)) for index, section in enumerate(sections)]  # type: ignore[misc]
        return [one for one in made if one is not None]

    def _once(self, name: str, key: str, values: list[Any]) -> None:
        seen: dict[Hashable, int] = {}
        for index, value in enumerate(values):
            first = seen.setdefault(value, index)
            if first != index:
                self._add(
                    (name, index, key),
                    f"[[{name}]] {index + 1} {key} {value!r} is that of [[{name}]] {first + 1} too",
                    "remove or rename one",
                )

    def _bbs(self, parsed: File) -> BbsConfig | None:
        """Return the board, where there is one: its sections, or a modem that is to serve it."""
        areas = self._each("bbs_area", parsed.bbs_area, read_area)
        files = self._each("bbs_files", parsed.bbs_files, read_files)
        doors = self._each("bbs_door", parsed.bbs_door, read_door)
        for name in ("bbs_area", "bbs_files", "bbs_door"):
            self._once(name, "name", [one.name for one in getattr(parsed, name)])
            if getattr(parsed, name) and parsed.bbs is None:
                self._add((name, 0), f"[[{name}]] without a board", "add a section [bbs]")
        wanted = any(m.dte == "answer:bbs" for m in parsed.modem) or any(
            user.entry == "bbs" for user in parsed.user
        )
        if parsed.bbs is None:
            return BbsConfig() if wanted else None
        return read_bbs(parsed.bbs, areas, files, doors)

    def _ppp(self, parsed: File, users: list[User]) -> PppConfig | None:
        """Return PPP, where there is a section for it; without one nothing may ask for it."""
        section = parsed.ppp
        if section is not None:
            return self._try(("ppp",), lambda: read_ppp(section, users))
        wanted = [("user", i, "entry") for i, user in enumerate(parsed.user) if user.entry == "ppp"]
        wanted += [("modem", i, "dte") for i, modem in enumerate(parsed.modem) if modem.dte == "answer:ppp"]
        for name, index, key in wanted:
            self._add((name, index, key), f"[[{name}]] {index + 1} {key}: ppp", "add a section [ppp]")
        return None

    def _check_plan(
        self,
        parsed: File,
        extensions: list[Extension],
        groups: list[Group],
        callbacks: list[CallBack],
        exchange: ExchangeConfig | None,
    ) -> None:
        services = exchange.settings.services if exchange is not None else {}
        try:
            plan = DialPlan(extensions, groups, callbacks=callbacks)
        except PlanError as error:
            for name in ("callback", "group", "extension"):
                numbers = [section.number for section in getattr(parsed, name)]
                if error.number in numbers:
                    self._add((name, numbers.index(error.number)), error.message, error.remedy)
                    return
            return
        known = {one.number for one in (*plan, *plan.groups, *callbacks)} | services.keys()
        for index, rule in enumerate(parsed.rule):
            if rule.number and not rule.trunks and rule.number not in known:
                self._add(
                    ("rule", index, "number"),
                    f"[[rule]] {index + 1} number {rule.number!r} is no extension, group or service",
                    "add it, or change the rule",
                )
        for index, trunk in enumerate(parsed.trunk):
            for did in trunk.did:
                if did.number and did.number not in known:
                    self._add(
                        ("trunk", index, "did"),
                        f"[[trunk]] {index + 1} did: number {did.number!r} is no extension, group or service",
                        "add it, or change the entry",
                    )

    def _check_trunks(self, parsed: File, trunks: list[Trunk], extensions: list[Extension]) -> None:
        """Look whether rules name trunks and extensions that are there, and no two callers have one name."""
        names, numbers = {trunk.name for trunk in trunks}, {extension.number for extension in extensions}
        for index, rule in enumerate(parsed.rule):
            for key, values, known, what in (
                ("trunks", rule.trunks, names, "trunk"),
                ("callers", rule.callers, numbers, "extension"),
            ):
                for value in values:
                    if value not in known:
                        self._add(
                            ("rule", index, key),
                            f"[[rule]] {index + 1} {key}: there is no {what} {value!r}",
                            f"add a [[{what}]], or change the rule",
                        )
        for index, trunk in enumerate(trunks):
            if trunk.authenticate and trunk.user in numbers:
                self._add(
                    ("trunk", index, "user"),
                    f"[[trunk]] {index + 1} user {trunk.user!r} is an extension too",
                    "callers of the trunk need a name of their own",
                )

    def _services(self, section: ServicesSection, extensions: list[str]) -> dict[str, Service]:
        """Return the numbers of services; each once, and none that is an extension."""
        numbers: dict[str, Service] = {}
        for key, number in section.model_dump().items():
            if not number:
                continue
            path = ("services", key)
            if not NUMBER.fullmatch(number):
                self._add(path, f"[services] {key} {number!r}", "use 1 to 32 of 0-9 A-Z a-z * # _ . + -")
            elif number in extensions:
                self._add(
                    path,
                    f"[services] {key} {number!r} is an extension, group or callback too",
                    "choose another number",
                )
            elif number in numbers:
                other = numbers[number].value
                self._add(
                    path, f"[services] {key} {number!r} is that of {other} too", "choose another number"
                )
            numbers[number] = Service(key)
        return numbers

    def _provisioning(
        self, parsed: File, exchange: ExchangeConfig | None, extensions: list[Extension]
    ) -> ProvisioningConfig | None:
        section = parsed.provisioning
        proxy = section.proxy or exchange_address(exchange)
        if parsed.adaptor and not proxy and exchange is not None:
            self._add(
                ("provisioning",) if "provisioning" in parsed.model_fields_set else ("adaptor", 0),
                "adaptors find no exchange: [exchange] listens on no UDP address of the network",
                '[provisioning] proxy = "192.168.1.10"',
            )
        known = {extension.number: extension for extension in extensions}
        adaptors = self._each("adaptor", parsed.adaptor, lambda a: read_adaptor(a, known, proxy))
        self._once("adaptor", "mac", [clean_mac(adaptor.mac) for adaptor in parsed.adaptor])
        return self._try(("provisioning",), lambda: read_provisioning(section, adaptors))

    def _check_lines(
        self,
        sections: list[ModemSection],
        modems: list[ModemConfig],
        exchange: ExchangeConfig,
        secrets: dict[str, str],
    ) -> None:
        """Look whether modems on our own exchange know their extension and its secret."""
        from ansam.call.line_url import SipLineUrl

        own = {(listen.transport, listen.host, listen.port) for listen in exchange.listen}
        indexes = {section.name: index for index, section in enumerate(sections)}
        for modem in modems:
            line = modem.line
            if not isinstance(line, SipLineUrl) or (line.transport, line.host, line.port) not in own:
                continue
            path: Path = ("modem", indexes[modem.name], "line")
            known = secrets.get(line.user)
            if known is None:
                self._add(path, f"modem {modem.name!r}: extension {line.user} is not in this file", "add it")
            elif known != line.secret:
                self._add(path, f"modem {modem.name!r}: the secret is not that of extension {line.user}")


def _user(section: UserSection) -> User:
    entry: Entry
    if isinstance(section.entry, list):
        entry = Command(tuple(section.entry), section.run_as, section.directory)
    elif section.run_as or section.directory:
        # A service has options of its own for that.
        raise Culprit("run_as", "run_as and directory belong to a command", 'entry = ["/usr/bin/program"]')
    elif ":" in section.entry:
        entry = _put_through(section.entry)
    else:
        entry = Bbs() if section.entry == "bbs" else Ppp() if section.entry == "ppp" else Menu()
    return User(section.name, section.password, entry, section.ppp_secret)


def _put_through(text: str) -> Entry:
    try:
        target = parse_service(text)
    except ConfigError as error:
        raise Culprit("entry", f"entry: {error.message}", error.remedy) from None
    assert isinstance(target, BridgeTarget)
    return target


def _answer(section: Section) -> AnswerSettings:
    values: dict[str, Any] = section.model_dump(exclude={"files", "mgetty_config", "login_config"})
    for key, value in values.items():
        values[key] = tuple(value) if isinstance(value, list) else value
    return AnswerSettings(**values)


def _mgetty(section: Section) -> MgettyPaths | None:
    config, login = str(getattr(section, "mgetty_config", "")), str(getattr(section, "login_config", ""))
    if login and not config:
        raise Culprit("login_config", "login_config goes with mgetty_config", "name both")
    return MgettyPaths(FilePath(config), FilePath(login) if login else None) if config else None
