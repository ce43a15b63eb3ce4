"""The server's end of a PPP link: who calls, which addresses, IP packets in and out.

`link.PppServer` is the engine; `frame` has the framing of the line, `automaton` the negotiation that LCP and
IPCP share, `auth` PAP and CHAP, `slip` the framing of the way to the emulator of IP, `reach` where callers
may go.
"""
