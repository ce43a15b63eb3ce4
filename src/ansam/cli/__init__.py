"""The command line: argument parsing, exit codes, and errors as one line for a person."""
