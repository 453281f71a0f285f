from . import test_governance_chain
from . import test_governance_roles
from . import test_ledger
from . import test_ledger_verification
