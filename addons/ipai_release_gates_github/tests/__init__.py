from . import test_github_answers
from . import test_github_checks
from . import test_github_configuration
from . import test_github_failures
from . import test_github_occasions
from . import test_github_requests
from . import test_github_screens
from . import test_github_security
