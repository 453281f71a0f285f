from . import rate_limit
from . import ir_http
