"""V.32bis (02/91) and V.32 (03/93): up to 14 400 bit/s duplex in one band, by echo cancellation."""
