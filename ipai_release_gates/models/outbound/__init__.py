from . import host
from . import transport
