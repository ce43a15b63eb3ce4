"""Searching call records, page by page."""

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ansam.io.exchange_store import StoredCall, stored
from ansam.io.exchange_tables import CallRow

_SEARCHED = (
    CallRow.caller,
    CallRow.callee,
    CallRow.answered_by,
    CallRow.cause,
    CallRow.reason,
    CallRow.trunk,
)


@dataclass(frozen=True, slots=True)
class FoundCall:
    """A call record and its place among all.

    Attributes:
        id: Later calls have greater ones.
        call: The record.
    """

    id: int
    call: StoredCall


def search_calls(session: Session, search: str, limit: int, before: int | None) -> list[FoundCall]:
    """Return call records, newest first.

    Args:
        session: Of the database.
        search: Part of a number, a trunk, a cause or a reason, capitals or not; "" for all.
        limit: At most so many.
        before: Only those with a smaller id.
    """
    query = select(CallRow).order_by(CallRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(CallRow.id < before)
    # No database takes a zero octet in a text.
    words = search.replace("\0", "").strip()
    if words:
        query = query.where(or_(*(column.icontains(words, autoescape=True) for column in _SEARCHED)))
    return [FoundCall(row.id, stored(row)) for row in session.scalars(query).all()]
