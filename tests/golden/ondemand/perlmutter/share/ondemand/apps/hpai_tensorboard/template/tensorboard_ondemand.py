"""TensorBoard asks nobody who he is: its address holds the secret of this start, and no other one is answered."""

import os
import sys

from tensorboard import program

tensorboard = program.TensorBoard()
tensorboard.configure(
    logdir=os.environ["ONDEMAND_DIRECTORY"],
    host="0.0.0.0",  # the proxy is another machine
    port=int(os.environ["port"]),
    path_prefix="/node/{host}/{port}/{ONDEMAND_SECRET}".format(**os.environ),
)
sys.exit(tensorboard.main())
