"""Make an API key for each login of a database and print them (for ``odoo shell``).

Prints one line ``API_KEYS {"login": "key", …}``. The keys do not expire.
"""

import json
import os

env = globals()["env"]  # given by the shell
keys = {}
for login in os.environ["ARGUMENTS"].split():
    user = env["res.users"].search([("login", "=", login)])
    # Only the superuser makes a key without an end; the key is still the user's own.
    own = env["res.users.apikeys"].with_user(user).sudo()
    keys[login] = own._generate("rpc", "black-box tests", None)
env.cr.commit()
print("API_KEYS", json.dumps(keys))
