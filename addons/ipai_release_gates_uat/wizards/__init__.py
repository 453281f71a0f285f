from . import ask_uat
