"""What is said between client and broker: typed messages and their bytes.

Pure: no socket here.  One module per verb, so that a command imports only the
messages it speaks.
"""
