-- A copy of a database has no key to call GitHub with.
UPDATE ipai_github_app SET private_key = NULL, key_variable = NULL;
