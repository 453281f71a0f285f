from . import ingest_log
from . import ingest_upkeep
from . import control_plane
from . import pipeline
from . import handlers
from . import reports
