/** The parts of the configuration that concern NATS. */
import { z } from "zod";
import { list, secretText, section, size, text } from "./values.ts";

const SUBJECT =
  "a subject: words joined by dots, * for one word, > at the end for the rest";
const SUBJECT_PATTERN = /^(?:[^\s.*>]+|\*)(?:\.(?:[^\s.*>]+|\*))*(?:\.>)?$|^>$/;

/** A subject to subscribe to, wildcards allowed. */
export function subject() {
  return z.string({ error: SUBJECT })
    .refine((given) => SUBJECT_PATTERN.test(given), SUBJECT)
    .meta({ expected: SUBJECT });
}

const JETSTREAM_NAME =
  "a name without blanks, dots, *, > and slashes, or an empty text";

/** Name of a stream or a durable; empty for none. */
export function jetStreamName() {
  return z.string({ error: JETSTREAM_NAME })
    .refine((given) => /^[^\s.*>/\\\p{Cc}]*$/u.test(given), JETSTREAM_NAME)
    .meta({ expected: JETSTREAM_NAME });
}

/** Shards remember how far so many durables got, and some that are gone. */
const SUBSCRIPTIONS_MAX = 256;

const natsSubscription = section({
  "subscribe-to": subject().describe("Subject, wildcards allowed."),
  "cluster-tag": text().default("").describe(
    "Cluster of lines that name none.",
  ),
  "queue-group": jetStreamName().default("").describe(
    "Of the servers of a group each message reaches one.",
  ),
  stream: jetStreamName().default("").describe(
    "JetStream stream to read from; empty: plain NATS, without acknowledgement.",
  ),
  durable: jetStreamName().default("").describe(
    "Durable consumer of this server alone, made where it is missing.",
  ),
  instance: text().default("").describe(
    "Instance that the samples belong to; empty: the default one.",
  ),
  "access-policy": text().default("").describe(
    "Access policy that lines must keep to; empty: none.",
  ),
}).superRefine((given, context) => {
  const { stream, durable } = given;
  if ((stream === "") !== (durable === "")) {
    context.addIssue({
      code: "custom",
      path: [stream === "" ? "stream" : "durable"],
      message: "a name, since stream and durable belong together",
    });
  }
  if (stream !== "" && given["queue-group"] !== "") {
    context.addIssue({
      code: "custom",
      path: ["queue-group"],
      message: "an empty text, since a durable belongs to one server",
    });
  }
});

export const natsSubscriptions = list(natsSubscription, "subscriptions")
  .max(SUBSCRIPTIONS_MAX, `a list of at most ${SUBSCRIPTIONS_MAX}`)
  .superRefine((given, context) => {
    const seen = new Set<string>();
    given.forEach(({ stream, durable }, index) => {
      if (stream === "") return;
      const key = `${stream} ${durable}`;
      if (seen.has(key)) {
        context.addIssue({
          code: "custom",
          path: [index, "durable"],
          message: "a durable that no other subscription reads",
        });
      }
      seen.add(key);
    });
  });

/** Keys of which at most one says who the server is. */
const CREDENTIALS = [
  "username",
  "token",
  "creds-file-path",
  "nkey-file",
] as const;

export const natsSection = section({
  address: text().default("").describe(
    "Such as `nats://host:4222` or `tls://host:4222`, several joined by commas; empty: no NATS.",
  ),
  username: text().default("").describe("User name."),
  password: secretText().default("").describe("Its password."),
  token: secretText().default("").describe("Token, instead of a user name."),
  "creds-file-path": text().default("").describe(
    "Credentials file, instead of a user name.",
  ),
  "nkey-file": text().default("").describe(
    "File with the seed of an NKey, instead of a user name.",
  ),
  "tls-ca-file": text().default("").describe(
    "Certificates (PEM) that the broker's must be signed by; the connection must then be encrypted.",
  ),
  "tls-cert-file": text().default("").describe(
    "Certificate (PEM) to show to the broker.",
  ),
  "tls-key-file": text().default("").describe("Its private key (PEM)."),
  "max-in-flight": size().prefault("64MiB").describe(
    "Bound of messages received and not yet stored; beyond it plain messages are dropped and counted, JetStream waits.",
  ),
}).superRefine((nats, context) => {
  const together = (first: keyof typeof nats, second: keyof typeof nats) => {
    if ((nats[first] === "") === (nats[second] === "")) return;
    context.addIssue({
      code: "custom",
      path: [nats[first] === "" ? first : second],
      message: `a text, since ${first} and ${second} belong together`,
    });
  };
  together("username", "password");
  together("tls-cert-file", "tls-key-file");
  const [, extra] = CREDENTIALS.filter((key) => nats[key] !== "");
  if (extra !== undefined) {
    context.addIssue({
      code: "custom",
      path: [extra],
      message: `an empty text: only one of ${CREDENTIALS.join(", ")} is used`,
    });
  }
  if (nats["max-in-flight"] < 1 << 20) {
    context.addIssue({
      code: "custom",
      path: ["max-in-flight"],
      message: "at least 1MiB, the size of one message",
    });
  }
});
