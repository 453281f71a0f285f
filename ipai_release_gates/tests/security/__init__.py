from . import test_append_only
from . import test_bypass_secrets
from . import test_guards
from . import test_neutralize
from . import test_record_rules
from . import test_rights_by_role
from . import test_schema
