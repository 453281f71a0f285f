from . import release_wizard
from . import record_evidence
from . import decide
from . import move
from . import deploy
from . import roll_back
from . import open_incident
from . import check_control
