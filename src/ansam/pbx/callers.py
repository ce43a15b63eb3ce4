"""Who calls: an extension that has proved it, or somebody whom a trunk names."""

from ansam.pbx.dialplan import NUMBER, DialPlan
from ansam.pbx.trunk_lines import TrunkLines
from ansam.pbx.trunks import ANONYMOUS, Caller
from ansam.sip.events import IncomingCall
from ansam.sip.uri import user_of

NAME_LIMIT = 64
"""Characters of a display name."""


def caller_of(incoming: IncomingCall, called: str, plan: DialPlan, trunks: TrunkLines) -> Caller | None:
    """Return who calls, or None: somebody who has proved to be nobody of ours.

    Args:
        incoming: The INVITE.
        called: User part of what is called.
        plan: Who there is.
        trunks: Whose calls come from where.

    Spec: RFC 3325 §9.1: what a trusted network asserts counts more than what the caller wrote.
    """
    user = incoming.authenticated_user
    if user is None:
        trunk = trunks.of(incoming.flow, called)
    else:
        extension = plan.find(user)
        if extension is not None:
            return Caller(extension.number, extension.name, extension)
        trunk = plan.trunk_of(user)
    if trunk is None:
        return None
    asserted = incoming.headers.first("P-Asserted-Identity").partition("<")[2].partition(">")[0]
    number = trunk.caller_prefix + (user_of(asserted) or user_of(incoming.from_))
    name = "".join(sign for sign in incoming.display if sign.isprintable())[:NAME_LIMIT]
    return Caller(number if NUMBER.fullmatch(number) else ANONYMOUS, name, trunk=trunk)
