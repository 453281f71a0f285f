from . import test_control_room
from . import test_dossier
from . import test_kpis
from . import test_reports
