from . import guarded
from . import fact
from . import policy
from . import ir_default
from . import scheduled
from . import activity
