from . import release_wizard
from . import record_evidence
from . import decide
from . import move
from . import request_exception
from . import decide_exception
from . import end_exception
from . import ci_onboarding
