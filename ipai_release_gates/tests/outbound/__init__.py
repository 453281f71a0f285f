from . import test_outbound_transport
from . import test_webhook_access
from . import test_webhook_deliveries
from . import test_webhook_events
