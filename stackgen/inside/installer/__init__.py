"""The installer of a kit, which becomes one file: Python 3.6 and its library are all that it has.

Modules import from each other by name alone, and no two of them define the same name.
"""
