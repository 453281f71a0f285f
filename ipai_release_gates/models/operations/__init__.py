from . import environment_control
from . import environment
from . import environment_event
from . import deployment
from . import incident
from . import incident_entry
from . import recovery_drill
from . import release_operations
