"""The catalog of a prefix: pages that users choose from, in a directory that needs no server."""

from stackgen.catalog.pages import site_tree
from stackgen.catalog.place import Owner, kept_releases, write_site
from stackgen.catalog.reading import read_catalog
from stackgen.catalog.values import Catalog

__all__ = ["Catalog", "Owner", "kept_releases", "read_catalog", "site_tree", "write_site"]
