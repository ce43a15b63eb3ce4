"""Hardware adaptors: what their settings must be for modems, written, checked and served."""

from ansam.adaptor.check import Verdict, Wrong, check
from ansam.adaptor.dump import Dump, read_dump
from ansam.adaptor.profile import Account, spa_xml
from ansam.adaptor.provisioning import Adaptor, Provisioner, Reply
from ansam.adaptor.settings import SETTINGS, LawName, Model, Setting, Severity

__all__ = [
    "SETTINGS",
    "Account",
    "Adaptor",
    "Dump",
    "LawName",
    "Model",
    "Provisioner",
    "Reply",
    "Setting",
    "Severity",
    "Verdict",
    "Wrong",
    "check",
    "read_dump",
    "spa_xml",
]
