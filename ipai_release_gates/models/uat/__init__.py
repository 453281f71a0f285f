from . import invitation
from . import criterion
from . import release_uat
