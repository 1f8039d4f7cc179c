/** The sections `main` and `auth`: listener, limits, credentials, job API. */
import {
  address,
  amount,
  duration,
  flag,
  ignored,
  integer,
  list,
  name,
  oneOf,
  secretText,
  section,
  size,
  text,
  webUrl,
} from "./values.ts";
import { jetStreamName } from "./schema_nats.ts";

const apiSubjects = section({
  "subject-job-event": name().describe("NATS subject of job events."),
  "subject-node-state": name().describe("NATS subject of node states."),
  "stream-job-event": jetStreamName().default("").describe(
    "JetStream stream that job events are read from; empty: plain NATS, which loses those sent while the server is away.",
  ),
  "durable-job-event": jetStreamName().default("").describe(
    "Durable consumer of this server alone, made where it is missing.",
  ),
  "stream-node-state": jetStreamName().default("").describe(
    "JetStream stream that node states are read from; empty: plain NATS.",
  ),
  "durable-node-state": jetStreamName().default("").describe(
    "Durable consumer of this server alone, made where it is missing.",
  ),
  "job-concurrency": integer(1).default(8).describe(
    "Job events handled at a time.",
  ),
  "node-concurrency": integer(1).default(2).describe(
    "Node states handled at a time.",
  ),
}).superRefine((given, context) => {
  const refuse = (key: string, message: string) =>
    context.addIssue({ code: "custom", path: [key], message });
  for (const what of ["job-event", "node-state"] as const) {
    const hasStream = given[`stream-${what}`] !== "";
    if (hasStream === (given[`durable-${what}`] !== "")) continue;
    refuse(
      `${hasStream ? "durable" : "stream"}-${what}`,
      "a name, since stream and durable belong together",
    );
  }
  if (
    given["stream-job-event"] !== "" &&
    given["stream-job-event"] === given["stream-node-state"] &&
    given["durable-job-event"] === given["durable-node-state"]
  ) {
    refuse("durable-node-state", "a durable that reads nothing else");
  }
});

/** Where `move` and `copy` retention put things; the same keys in two places. */
const retentionTarget = {
  "target-kind": oneOf("file", "s3").optional().describe(
    "Kind of the place data is moved or copied to.",
  ),
  "target-path": text().optional().describe("Directory of a file target."),
  "target-endpoint": text().optional().describe("Address of an s3 target."),
  "target-bucket": text().optional().describe("Bucket of an s3 target."),
  "target-access-key": secretText().optional().describe("Key of an s3 target."),
  "target-secret-key": secretText().optional().describe(
    "Secret of an s3 target.",
  ),
  "target-region": text().optional().describe("Region of an s3 target."),
  "target-use-path-style": flag().optional().describe(
    "Path-style requests to an s3 target.",
  ),
  "max-file-size-mb": integer(1).optional().describe(
    "Bound of one file written to the target.",
  ),
};

const nodestateRetention = section({
  policy: oneOf("delete", "move").describe(
    "What happens to node states that are too old; without this section the newest 10,080 of a node stay.",
  ),
  age: integer(1).default(24).describe("Hours after which they are too old."),
  ...retentionTarget,
});

const resampling = section({
  "minimum-points": integer(1).default(1000).describe(
    "Series with fewer points are answered as they are.",
  ),
  trigger: integer(1).describe("For the web interface."),
  resolutions: list(integer(1), "integers").describe(
    "Seconds between points, as offered.",
  ),
});

const dbConfig = section({
  "cache-size-mb": integer(1).default(2048).describe(
    "SQLite page cache; at most a sixteenth of `memory-cap`.",
  ),
  "soft-heap-limit-mb": integer(0).default(16384).describe(
    "SQLite soft heap limit.",
  ),
  "max-open-connections": integer(1).default(4).describe(
    "Accepted, one connection is used.",
  ),
  "max-idle-connections": integer(0).default(4).describe(
    "Accepted, one connection is used.",
  ),
  "max-idle-time-minutes": integer(0).default(10).describe(
    "Accepted, the connection stays open.",
  ),
  "busy-timeout-ms": integer(0).default(60000).describe(
    "How long a locked database is waited for.",
  ),
});

const debug = section({
  gops: flag().default(false).describe("Accepted, has no effect."),
  "dump-to-file": text().default("").describe("Accepted, has no effect."),
});

export const mainSection = section({
  addr: address().prefault("localhost:8082").describe(
    "Where to listen; `:8082` is port 8082 of every interface.",
  ),
  "https-cert-file": text().default("").describe(
    "Certificate chain (PEM); with the key file it switches HTTPS on.",
  ),
  "https-key-file": text().default("").describe("Its private key (PEM)."),
  "redirect-http-to": text().default("").describe(
    "URL that plain HTTP on port 80 is redirected to.",
  ),
  user: text().default("").describe("User to become after listening."),
  group: text().default("").describe("Group to become after listening."),
  "jwt-public-key": text().default("").describe(
    "Ed25519 public key that verifies tokens: base64 of its 32 bytes. " +
      "Empty: `JWT_PUBLIC_KEY`, else `./var/keys`.",
  ),
  "previous-jwt-public-keys": list(text(), "base64 texts").default([])
    .describe(
      "Public keys from before; tokens signed with them are still good.",
    ),
  "disable-authentication": flag().default(false).describe(
    "Everybody may do everything. For trying things out.",
  ),
  "api-allowed-ips": list(text(), "addresses").default([]).describe(
    "Addresses the job API answers to; empty or `*`: all.",
  ),
  "trusted-proxies": list(text(), "addresses").default([]).describe(
    "Proxies whose forwarding headers are believed, such as `127.0.0.1`.",
  ),
  "audit-log": text().default("").describe(
    "File to which changes, logins and refusals are appended, besides the log; " +
      "opened again on SIGHUP.",
  ),
  "session-max-age": duration().prefault("168h").describe(
    "How long a login lasts.",
  ),
  "base-url": webUrl().default("").describe(
    "Public URL of this server: pages of this origin are its own.",
  ),
  "license-dir": text().default("").describe("Directory of licence files."),
  "open-metrics": flag().default(false).describe(
    "Every known role reads all metrics of the store; else `user` and `manager` " +
      "see the nodes of their jobs while these ran.",
  ),
  "metrics-public": flag().default(false).describe(
    "`/metrics` needs no credential.",
  ),
  "max-body-size": size().prefault("64MiB").describe(
    "Bound of a request body as sent.",
  ),
  "max-inflated-size": size().prefault("256MiB").describe(
    "Bound of a request body after decompression.",
  ),
  "max-in-flight": size().prefault("256MiB").describe(
    "Bound of bodies and answers under way: a half for writes of machines, a half for the rest.",
  ),
  "backend-url": webUrl().default("").describe(
    "cc-backend that knows the nodes of running jobs, which are spared from " +
      "freeing; empty: none.",
  ),
  "backend-token": secretText().default("").describe(
    "Token (JWT) for it, sent as `Bearer`.",
  ),
  db: text().default("./var/job.db").describe(
    "Database of jobs, users and policies.",
  ),
  "db-config": dbConfig.prefault({}).describe("Database settings."),
  "api-subjects": apiSubjects.optional().describe(
    "Job events come by NATS; starting and stopping jobs by HTTP is then off.",
  ),
  "machine-state-dir": text().default("").describe(
    "Directory of machine states; empty: those routes are off.",
  ),
  "stop-jobs-exceeding-walltime": integer(0).default(0).describe(
    "Seconds past its walltime after which a running job counts as failed; 0: never.",
  ),
  "short-running-jobs-duration": integer(0).default(300).describe(
    "For the web interface.",
  ),
  "emission-constant": amount().default(0).describe("For the web interface."),
  validate: flag().default(false).describe(
    "Check files of the job archive against their JSON schemas.",
  ),
  "enable-job-taggers": flag().default(false).describe("Not served."),
  resampling: resampling.optional().describe("Thinning of job metrics."),
  "nodestate-retention": nodestateRetention.optional().describe(
    "What becomes of old node states.",
  ),
  "embed-static-files": flag().default(true).describe("Not served."),
  "static-files": text().default("").describe("Not served."),
  "systemd-unit": text().default("clustercockpit.service").describe(
    "Unit whose lines of the journal administrators may read.",
  ),
  debug: debug.prefault({}).describe("Debugging aids of upstream."),
}).superRefine((main, context) => {
  const certificate = main["https-cert-file"] !== "";
  if (certificate !== (main["https-key-file"] !== "")) {
    context.addIssue({
      code: "custom",
      path: [certificate ? "https-key-file" : "https-cert-file"],
      message: "a file name, since HTTPS needs a certificate and its key",
    });
  }
});

const jwts = section({
  "max-age": duration().optional().describe(
    "Lifetime of tokens made here, 0: no end; absent: `8760h` for those of the " +
      "command line, `720h` for those of `/frontend/jwt`.",
  ),
  "cookie-name": text().default("").describe(
    "Cookie in which the login looks for a token.",
  ),
  "validate-user": flag().default(false).describe(
    "The user table decides who a token's user is and what roles it has.",
  ),
  "trusted-issuer": text().default("").describe(
    "Issuer whose tokens the login accepts in the cookie.",
  ),
  "sync-user-on-login": flag().default(false).describe(
    "A login with a token creates a missing user.",
  ),
  "update-user-on-login": flag().default(false).describe(
    "A login with a token updates the user.",
  ),
});

export const authSection = section({
  jwts: jwts.prefault({}).describe("Tokens (JWT)."),
  ldap: ignored().optional().describe("Not served."),
  oidc: ignored().optional().describe("Not served."),
});

export const archiveRetention = section({
  policy: oneOf("none", "delete", "copy", "move").default("none").describe(
    "What happens to jobs that are too old.",
  ),
  age: integer(0).default(0).describe("Days after which they are too old."),
  "omit-tagged": oneOf("none", "all", "user").default("none").describe(
    "Tagged jobs that are kept.",
  ),
  "include-db": flag().default(true).describe(
    "The database forgets them as well.",
  ),
  ...retentionTarget,
});
