from . import ir_websocket
from . import project_live
from . import release_live
