from . import dispatcher
from . import control_plane
