from . import test_uat
from . import test_uat_lists
from . import test_uat_security
