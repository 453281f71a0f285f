from . import host
from . import transport
from . import webhook_endpoint
from . import webhook_delivery
from . import webhook_attempt
from . import webhook_events
