from . import mixins
from . import governance
from . import release
from . import operations
from . import ingest
from . import actions
from . import reporting
from . import live
