"""Installs the packages of a quarry that a test has described in a file, in a process that can be killed."""

import pickle
import sys
from pathlib import Path

pickle.loads(Path(sys.argv[1]).read_bytes()).install()
