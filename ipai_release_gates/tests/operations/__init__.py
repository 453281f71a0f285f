from . import test_deployments
from . import test_drills
from . import test_environments
from . import test_incidents
from . import test_operational_requirements
from . import test_rollbacks
