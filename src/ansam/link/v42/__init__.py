"""V.42: error control between two modems (LAPM)."""
