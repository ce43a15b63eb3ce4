"""V.44 (11/2000) + Cor.1 (03/2002): compression of the terminal's characters, stream method.

What does it do? Like V.42bis, both ends build the same dictionary as the data goes by; unlike it, the strings
are places in a history of the data itself, and a string met for the second time is sent as a codeword for its
start and a count of the characters that follow (`encoder`, `decoder`). Both run over an error-corrected link.
`parameters` holds what the ends agree on; docs/spec/v44.md has the clause table.
"""

from ansam.link.v44.decoder import Decoder
from ansam.link.v44.encoder import Encoder
from ansam.link.v44.parameters import Parameters, Proposal

__all__ = ["Decoder", "Encoder", "Parameters", "Proposal"]
