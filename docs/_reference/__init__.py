"""The reference, written from the schemas and from what the commands say of themselves."""

from _reference.pages import PAGES

__all__ = ["PAGES"]
