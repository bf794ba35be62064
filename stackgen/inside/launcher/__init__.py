"""The launcher of a release, for Python 3.6 with nothing installed: `jobs.launcher` joins its modules.

These modules import the standard library and each other's names, and no two of them use a name twice.
"""
