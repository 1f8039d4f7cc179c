/**
 * First version of the schema: users, tenants, access policies, tokens. Timestamps
 * are RFC 3339 text in UTC with microseconds; lists and objects are JSON text.
 * A migration that was released is never changed.
 */
export const ACCESS_SCHEMA = `
CREATE TABLE user (
  username      TEXT PRIMARY KEY,
  password_hash TEXT,
  -- 0 password here, 1 LDAP, 2 token, 3 OIDC
  auth_source   INTEGER NOT NULL CHECK (auth_source IN (0, 1, 2, 3)),
  name          TEXT NOT NULL,
  email         TEXT NOT NULL,
  roles         TEXT NOT NULL,
  projects      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE configuration (
  username TEXT NOT NULL REFERENCES user ON DELETE CASCADE,
  key      TEXT NOT NULL,
  value    TEXT NOT NULL,
  PRIMARY KEY (username, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE revoked_session (
  id          TEXT PRIMARY KEY,
  expires_sec INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cluster (
  name       TEXT PRIMARY KEY,
  created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE instance (
  name         TEXT PRIMARY KEY,
  display_name TEXT NOT NULL,
  created_at   TEXT NOT NULL,
  status       TEXT NOT NULL CHECK (status IN ('active', 'inactive')),
  cluster      TEXT NOT NULL,
  limits       TEXT NOT NULL,
  version      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE policy (
  name         TEXT PRIMARY KEY,
  display_name TEXT NOT NULL,
  created_at   TEXT NOT NULL,
  status       TEXT NOT NULL CHECK (status IN ('active', 'inactive')),
  realms       TEXT NOT NULL,
  scopes       TEXT NOT NULL,
  expiration   TEXT,
  version      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO policy VALUES (
  '__admin__', '__admin__', strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'), 'active',
  '[{"instance":"*","cluster":"*","labelPolicies":[]}]', '["admin"]', NULL, 1
);

CREATE TABLE token (
  name          TEXT PRIMARY KEY,
  display_name  TEXT NOT NULL,
  created_at    TEXT NOT NULL,
  status        TEXT NOT NULL CHECK (status IN ('active', 'inactive')),
  secret_sha256 BLOB NOT NULL UNIQUE CHECK (length(secret_sha256) = 32),
  access_policy TEXT NOT NULL REFERENCES policy,
  expiration    TEXT,
  version       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX token_policy ON token (access_policy, status);
`;
