from . import release_wizard
from . import record_evidence
from . import decide
from . import move
from . import ci_onboarding
