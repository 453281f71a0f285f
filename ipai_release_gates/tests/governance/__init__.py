from . import test_ci_account_wizard
from . import test_consistency_page
from . import test_expertise_registry
from . import test_freeze_windows
from . import test_new_persona
from . import test_persona_contracts
from . import test_policy_data
from . import test_policy_files
