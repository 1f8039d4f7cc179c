/**
 * Second version of the schema: jobs, tags, the archive's queue, nodes. Times are
 * epoch seconds; lists and objects are JSON text.
 *
 * Lists of jobs are by start time, then id. Each index of `job` begins with a column
 * that lists are narrowed by, goes on with that order and ends with the other columns
 * lists are filtered by: pages are found in the index alone, and only their rows are
 * read. A migration that was released is never changed.
 */
export const JOB_SCHEMA = `
CREATE TABLE job (
  -- AUTOINCREMENT: the id of a deleted job is not used again.
  id                INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id            INTEGER NOT NULL,
  cluster           TEXT NOT NULL,
  subcluster        TEXT NOT NULL,
  start_time        INTEGER NOT NULL,
  submit_time       INTEGER NOT NULL,
  hpc_user          TEXT NOT NULL,
  project           TEXT NOT NULL,
  cluster_partition TEXT NOT NULL,
  array_job_id      INTEGER NOT NULL,
  duration          INTEGER NOT NULL,
  walltime          INTEGER NOT NULL,
  job_state         TEXT NOT NULL CHECK (job_state IN (
    'boot_fail', 'cancelled', 'completed', 'deadline', 'failed', 'node_fail',
    'out_of_memory', 'pending', 'preempted', 'running', 'suspended', 'timeout'
  )),
  num_nodes         INTEGER NOT NULL,
  num_hwthreads     INTEGER NOT NULL,
  num_acc           INTEGER NOT NULL,
  smt               INTEGER NOT NULL,
  shared            TEXT NOT NULL
    CHECK (shared IN ('none', 'single_user', 'multi_user')),
  monitoring_status INTEGER NOT NULL CHECK (monitoring_status IN (0, 1, 2, 3)),
  requested_memory  INTEGER NOT NULL,
  energy            REAL NOT NULL,
  energy_footprint  TEXT,
  footprint         TEXT,
  resources         TEXT NOT NULL,
  meta_data         TEXT,
  UNIQUE (job_id, cluster, start_time)
) STRICT;

CREATE INDEX job_all ON job
  (start_time, id, job_state, cluster, project, hpc_user);
CREATE INDEX job_state ON job
  (job_state, start_time, id, cluster, project, hpc_user);
CREATE INDEX job_cluster ON job
  (cluster, start_time, id, job_state, project, hpc_user);
CREATE INDEX job_cluster_state ON job
  (cluster, job_state, start_time, id, project, hpc_user);
CREATE INDEX job_project ON job
  (project, start_time, id, job_state, cluster, hpc_user);
CREATE INDEX job_project_state ON job
  (project, job_state, start_time, id, cluster, hpc_user);
CREATE INDEX job_user ON job
  (hpc_user, start_time, id, job_state, cluster, project);
CREATE INDEX job_user_state ON job
  (hpc_user, job_state, start_time, id, cluster, project);

CREATE TABLE tag (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  type        TEXT NOT NULL,
  name        TEXT NOT NULL,
  scope       TEXT NOT NULL,
  inserted_at INTEGER NOT NULL,
  UNIQUE (type, name, scope)
) STRICT;

CREATE TABLE job_tag (
  job_id      INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
  tag_id      INTEGER NOT NULL REFERENCES tag ON DELETE CASCADE,
  inserted_at INTEGER NOT NULL,
  PRIMARY KEY (job_id, tag_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_tag_tag ON job_tag (tag_id);

CREATE TABLE archive_queue (
  job_id   INTEGER PRIMARY KEY REFERENCES job ON DELETE CASCADE,
  since    INTEGER NOT NULL,
  attempts INTEGER NOT NULL
) STRICT;

CREATE INDEX archive_queue_since ON archive_queue (since, job_id);

CREATE TABLE node (
  id         INTEGER PRIMARY KEY,
  hostname   TEXT NOT NULL,
  cluster    TEXT NOT NULL,
  subcluster TEXT NOT NULL,
  UNIQUE (cluster, hostname)
) STRICT;

CREATE TABLE node_state (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  node_id          INTEGER NOT NULL REFERENCES node ON DELETE CASCADE,
  time_stamp       INTEGER NOT NULL,
  node_state       TEXT NOT NULL CHECK (node_state IN (
    'allocated', 'reserved', 'idle', 'down', 'mixed', 'unknown'
  )),
  health_state     TEXT NOT NULL
    CHECK (health_state IN ('full', 'partial', 'failed')),
  health_metrics   TEXT NOT NULL,
  jobs_running     INTEGER NOT NULL,
  cpus_allocated   INTEGER NOT NULL,
  memory_allocated INTEGER NOT NULL,
  gpus_allocated   INTEGER NOT NULL
) STRICT;

CREATE INDEX node_state_node ON node_state (node_id, time_stamp, id);
CREATE INDEX node_state_time ON node_state (time_stamp);
`;
