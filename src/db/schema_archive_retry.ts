/**
 * Time of the next try and the problem of a job that could not be archived; the fourth
 * migration.
 */
export const ARCHIVE_RETRY_SCHEMA = `
ALTER TABLE archive_queue ADD COLUMN retry_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE archive_queue ADD COLUMN problem TEXT NOT NULL DEFAULT '';
`;
