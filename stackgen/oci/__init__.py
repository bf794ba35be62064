"""Images of others: from registries, archives, directories and Dockerfiles, locked, brought here and read."""

from stackgen.oci.adapting import PROGRAMS, added_packages
from stackgen.oci.bringing import Origins
from stackgen.oci.building import Built, built_image
from stackgen.oci.contexts import changed_contexts, context_files
from stackgen.oci.locking import lock_images
from stackgen.oci.manifests import ImageConfig
from stackgen.oci.reading import added_files, config_of, layers_of
from stackgen.oci.references import Reference, parse_reference

__all__ = [
    "PROGRAMS",
    "Built",
    "ImageConfig",
    "Origins",
    "Reference",
    "added_files",
    "added_packages",
    "built_image",
    "changed_contexts",
    "config_of",
    "context_files",
    "layers_of",
    "lock_images",
    "parse_reference",
]
