from . import test_analytics_agreement
from . import test_analytics_views
from . import test_control_room
from . import test_control_room_delivery
from . import test_dossier
from . import test_kpis
