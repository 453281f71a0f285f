-- A copy of a database for tests calls nobody: no host is allowed any more, and what it
-- would call with is gone.
UPDATE ipai_outbound_host SET active = false;
UPDATE ipai_webhook_endpoint SET active = false, secret = NULL, former_secret = NULL;
-- Nor does it take what code hosts deliver to the one it is a copy of.
UPDATE ipai_webhook_source SET active = false;
