from . import test_deferred
from . import test_query_counts
from . import test_scheduled
