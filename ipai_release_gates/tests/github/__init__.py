from . import test_github_app
