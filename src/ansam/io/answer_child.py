"""Makes the terminal on standard input the controlling one, changes to an account, then becomes the command.

Run as a script in a fresh session by `answer_command`. It exists because a process with threads may not run
Python between fork and exec; this is a process of its own, so it may.
"""

import fcntl
import os
import pwd
import sys
import termios
import warnings  # noqa: F401 - os.execvp imports it, when we may not read the library any more


def main() -> None:
    """Act on the arguments: account (or ""), directory, program and its arguments.

    What goes wrong is said on the terminal, that is, to the caller.
    """
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    run_as, directory, *argv = sys.argv[1:]
    if run_as:
        account = pwd.getpwnam(run_as)
        os.initgroups(run_as, account.pw_gid)
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    try:
        os.chdir(directory)
    except OSError as error:
        print(f"{directory}: {error.strerror}", flush=True)
        sys.exit(127)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", flush=True)
        sys.exit(127)


if __name__ == "__main__":
    main()
