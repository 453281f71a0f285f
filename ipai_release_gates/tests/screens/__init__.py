from . import test_browser
from . import test_control_room_browser
from . import test_forms
from . import test_hoot
from . import test_lists
from . import test_live_screens
from . import test_server_actions
from . import test_terms_of_the_addon
