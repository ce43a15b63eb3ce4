"""What a recorded call says: every signal on the line by name, with what it carried."""

from ansam.listen.engine import Report, listen
from ansam.listen.sound import Sound, read
from ansam.listen.timeline import Entry

__all__ = ["Entry", "Report", "Sound", "listen", "read"]
