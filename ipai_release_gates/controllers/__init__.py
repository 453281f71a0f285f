from . import dispatcher
from . import control_plane
from . import webhooks
