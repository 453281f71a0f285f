from . import invitation
from . import criterion
from . import release
