"""What hsched says to Slurm, and how it reads the answers.  Pure, but for ``time_left``.

The broker runs the commands (:mod:`hsched.broker.slurm`); here stand the table of what
becomes which option, the site's own options, the parsers, and the script that runs on
the node.
"""
