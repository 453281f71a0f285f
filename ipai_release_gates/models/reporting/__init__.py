from . import report_mixin
from . import gate_summary
from . import promotion_eligibility
from . import evidence_completeness
from . import exception_status
from . import deployment_history
from . import kpi_target
from . import persona_kpi
