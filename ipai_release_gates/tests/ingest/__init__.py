from . import test_answers_table
from . import test_event_kinds
from . import test_http_api
from . import test_provider_registry
from . import test_report_ingest
from . import test_retention
from . import test_webhook_sources
