"""V.34 (10/96): up to 33600 bit/s duplex on one pair of wires."""
