from . import test_outbound_transport
from . import test_webhooks
