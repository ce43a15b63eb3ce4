"""Changes to an account and limits the size of files, then becomes a transfer program.

Run as a script by `answer_pipes`, since a process with threads may not run Python between fork and exec.
"""

import os
import pwd
import resource
import signal
import sys


def main() -> None:
    """Act on the arguments: account (or ""), directory, most octets of a file (or 0), program and its own."""
    run_as, directory, limit, *argv = sys.argv[1:]
    if run_as:
        account = pwd.getpwnam(run_as)
        os.initgroups(run_as, account.pw_gid)
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    os.umask(0o077)
    if int(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
        # The write fails then, and the program can tell the other end.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.chdir(directory)
        os.execv(argv[0], argv)
    except OSError:
        sys.exit(127)


if __name__ == "__main__":
    main()
