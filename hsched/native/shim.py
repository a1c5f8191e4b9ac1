"""hsched-shim in Python, for machines where nobody could compile ``shim.c``.

The same program under the same contract, which stands at the head of
``shim.c``; the same tests run on both.  It is run as a file, ``python -I -S
shim.py hsched-shim ID``, and imports as little as it can, because each job
waits for its imports.
"""

import os
import sys

if __name__ == "__main__":
    # -I leaves the folder of the script out of the path.
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))
    from pyshim.job import main  # type: ignore[import-not-found]  # found once it runs

    main()
