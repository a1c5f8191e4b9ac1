"""Runs a command with a jobserver: ``python -I -S jobserver.py SLOTS FOLDER WORD...``.

It is what the shim of such a job starts, and becomes the command.
"""

import os
import sys

if __name__ == "__main__":
    # -I leaves the folder of the script out of the path.
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))
    from pyshim.exec import exec_command  # type: ignore[import-not-found]  # found once it runs
    from pyshim.jobserver import set_up  # type: ignore[import-not-found]

    slots, folder, *argv = [os.fsencode(word) for word in sys.argv[1:]]
    environment = dict(os.environb)
    set_up(environment, int(slots), folder, argv[0])
    error = exec_command(argv, environment)
    os.write(2, b"hsched: cannot start %b: %b\n" % (argv[0], os.strerror(error).encode()))
    os._exit(127 if error == 2 else 126)
