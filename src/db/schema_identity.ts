/**
 * Version of the schema by which credentials end with their account: names of deleted
 * accounts, so that tokens made for them before are refused, also where another account
 * has the name now; and the sessions that are open, so that people see and end theirs.
 */
export const IDENTITY_SCHEMA = `
CREATE TABLE gone_user (
  username    TEXT PRIMARY KEY,
  deleted_sec INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE open_session (
  id           TEXT PRIMARY KEY,
  username     TEXT NOT NULL,
  began_sec    INTEGER NOT NULL,
  expires_sec  INTEGER NOT NULL,
  from_address TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
