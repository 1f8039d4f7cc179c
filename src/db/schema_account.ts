/**
 * Third version of the schema: each account has a random id, so that the next user
 * of a name is not taken for the last one. Accounts from before have none.
 */
export const ACCOUNT_SCHEMA = `
ALTER TABLE user ADD COLUMN account TEXT NOT NULL DEFAULT '';
`;
