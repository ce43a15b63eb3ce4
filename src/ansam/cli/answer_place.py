"""Puts together what the caller of a line finds, from the configuration and from mgetty's own files."""

import os
from dataclasses import replace

from ansam import config
from ansam.answer.house import House
from ansam.answer.mgetty_config import MgettyConfig
from ansam.answer.place import Place
from ansam.answer.samples import sample_shelf
from ansam.answer.service_url import LoginService, Service
from ansam.answer.users import User, UserBook
from ansam.cli.answer_services import Services, put_through
from ansam.config.settings import MgettyPaths
from ansam.errors import ConfigError, ResourceError
from ansam.io.answer import local_time, this_machine
from ansam.io.answer_shelf import DirectoryShelf
from ansam.io.mgetty_files import read_mgetty_files


def line_place(
    settings: config.Config,
    name: str,
    service: Service,
    services: Services,
    *,
    guest: bool = False,
    nodename: str = "",
    told: set[str] | None = None,
) -> tuple[Place, MgettyConfig | None]:
    r"""Return what a caller of one line finds, and the line's `mgetty.config` where that describes it.

    Args:
        settings: A configuration; its `answer`, `users`, `files` and `mgetty` count.
        name: Of the line: what ``\P`` shows, and its section of mgetty's file.
        service: What callers get.
        services: Makes it.
        guest: Also let `guest` in without a password.
        nodename: What ``@`` shows; that of the machine by default.
        told: See `read_mgetty_files`.

    Raises:
        ConfigError: A file has faults, or nobody could log in.
        ResourceError: A directory is not there, others could tell root what to run, or only root could do it.
    """
    mgetty, paths, asks = None, settings.mgetty, isinstance(service, LoginService)
    if paths is not None and asks:
        place, mgetty = mgetty_place(settings, name, paths, guest=guest, nodename=nodename, told=told)
    else:
        place = answering_place(settings, name, guest=guest, nodename=nodename, others=not asks)
    if asks and place.settings.system_login and os.geteuid() != 0:
        raise ResourceError(
            "system_login runs /bin/login, which only root can", "start ansam as root or switch it off"
        )
    return services.at(place, service), mgetty


def answering_place(
    settings: config.Config, name: str, *, guest: bool = False, nodename: str = "", others: bool = False
) -> Place:
    r"""Return what a caller of one line finds.

    Args:
        settings: A configuration; its `answer`, `users` and `files` count.
        name: Of the line: what ``\P`` shows.
        guest: Also let `guest` in without a password.
        nodename: What ``@`` shows; that of the machine by default.
        others: Callers are served by programs, too: there need be no users.

    Raises:
        ConfigError: Nobody could log in.
        ResourceError: The files directory is not there.
    """
    users = [*settings.users]
    if guest and not any(user.name == "guest" for user in users):
        users.append(User("guest"))
    if not users and not others and not settings.answer.system_login:
        raise ConfigError(
            "nobody can log in: there are no users", "add [[user]] to the configuration, or --guest"
        )
    machine = this_machine()
    return Place(
        settings=replace(settings.answer, port=name),
        users=UserBook(users),
        house=House(),
        clock=local_time,
        shelf=DirectoryShelf(settings.files) if settings.files else sample_shelf(),
        machine=replace(machine, nodename=nodename) if nodename else machine,
        bridge=put_through,
    )


def mgetty_place(
    settings: config.Config,
    name: str,
    paths: MgettyPaths,
    *,
    guest: bool = False,
    nodename: str = "",
    told: set[str] | None = None,
) -> tuple[Place, MgettyConfig]:
    """Return what a caller finds whose line an mgetty's files describe, and the line's `mgetty.config`.

    Args:
        settings: A configuration; its `users` and `files` count, and what mgetty has no words for.
        name: Of the line: its section of the file.
        paths: Its `mgetty.config` and `login.config`.
        guest: Also let `guest` in without a password.
        nodename: What ``@`` shows; that of the machine by default.
        told: See `read_mgetty_files`.

    Raises:
        ConfigError: A file has faults, or nobody could log in.
        ResourceError: A directory is not there, or others could tell root what to run.
    """
    files = read_mgetty_files(paths.config, name, paths.login, told)
    texts = replace(files.config.settings(settings.answer), issue=files.issue)
    if os.geteuid() == 0 and not settings.users and not guest:
        # mgetty's own way; without root, or with users of our own, passwords are asked here.
        texts = replace(texts, system_login=True)
    others = any(not rule.is_login for rule in files.logins)
    place = answering_place(
        replace(settings, answer=texts), name, guest=guest, nodename=nodename, others=others
    )
    manners = replace(files.config.manners(texts), callers=files.callers)
    return replace(place, manners=manners, logins=files.logins), files.config
