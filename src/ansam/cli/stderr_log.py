"""The log of commands that run one thing for a person: short lines on standard error."""

import sys

import structlog

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def log_to_stderr(level: str) -> None:
    """Write what is at least of a level to standard error, with the time of day."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
