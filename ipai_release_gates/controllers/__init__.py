from . import uat
