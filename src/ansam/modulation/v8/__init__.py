"""V.8 (11/2000): the two modems tell each other what they can do before either trains."""
