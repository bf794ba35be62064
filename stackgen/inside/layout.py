"""Print where this interpreter has its parts, as JSON; run with -I -S."""

import json
import os
import site
import sys
import sysconfig

paths = sysconfig.get_paths()
parts = {
    "version": "{}.{}.{}".format(*sys.version_info),
    "prefix": sys.base_prefix,
    "program": os.path.realpath(sys.executable),
    "libraries": sorted({paths["stdlib"], paths["platstdlib"]}),
    "headers": paths["include"],
    "multiarch": sysconfig.get_config_var("MULTIARCH") or "",
    "site": site.getsitepackages([sys.base_prefix])[-1],
}
print(json.dumps(parts))  # noqa: T201 - this is the answer
