"""What a machine says of itself, for Python 3.6 with nothing installed: `stackgen probe --script` joins it.

These modules import the standard library and each other's names, and no two of them use a name twice. What
`ask` asks is answered by programs; the description of `this` is made without, by files alone.
"""
