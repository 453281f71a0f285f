from . import rate_limit
from . import ir_http
from . import webhook_source
from . import webhook_delivery
