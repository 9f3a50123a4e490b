"""`trainings.py SPEC…`: trains as each specification says, one after another, on the only rank of this process."""

import sys

from ftpc_driver.events import Events
from ftpc_driver.parent import Parent
from ftpc_driver.spec import read_spec
from ftpc_driver.training.train import train
from ftpc_driver.versions import check_versions, leave_out

leave_out("bitsandbytes")
events, parent = Events(), Parent()
for path in sys.argv[1:]:
    spec = read_spec(path)
    train(spec, check_versions(spec.versions), events, parent)
