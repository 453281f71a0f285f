-- A copy of a database takes nothing that customers answer to the original.
UPDATE ipai_uat_invitation SET state = 'revoked' WHERE state = 'open';
