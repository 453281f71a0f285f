from . import guarded
from . import fact
from . import policy
