"""Link protocols between the terminal's bytes and the line's bits."""
