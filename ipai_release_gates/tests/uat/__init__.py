from . import test_uat
