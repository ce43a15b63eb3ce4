"""Makes the terminal on standard input the controlling one and forbids children, then becomes slirp.

Run as a script in a fresh session by `ppp_slirp`, since a process with threads may not run Python between
fork and exec. A slirp whose terminal is gone forks, to wait for another one in the background: it may not,
and ends. Nor can a caller make it start a program.
"""

import fcntl
import os
import resource
import sys
import termios


def main() -> None:
    """Act on the arguments: program and its own."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
