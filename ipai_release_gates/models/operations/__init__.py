from . import environment
from . import deployment
from . import incident
