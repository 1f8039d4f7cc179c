/** The flags of `publish`, and what they mean. */
import { type FlagSpecs, type ParsedFlags, UsageError } from "./flags.ts";

export interface PublishLine {
  readonly command: "publish";
  /** `undefined`: standard input. */
  readonly file: string | undefined;
  readonly target:
    | {
      readonly kind: "nats";
      readonly subject: string;
      /** `undefined`: as the configuration says. */
      readonly address: string | undefined;
      /** Every message waits until a stream has it. */
      readonly acknowledged: boolean;
    }
    | {
      readonly kind: "http";
      /** `undefined`: as the configuration says. */
      readonly url: string | undefined;
      readonly token: string | undefined;
      readonly cluster: string | undefined;
    };
  /** Lines a message or body. */
  readonly lines: number;
  /** Lines a second; 0: as fast as it goes. */
  readonly rate: number;
}

const DEFAULT_LINES = 1000;

export const PUBLISH_FLAGS: FlagSpecs = {
  subject: { value: "S", help: "publish by NATS under this subject" },
  nats: { value: "URL", help: "of the broker (default nats.address)" },
  ack: { help: "wait for a JetStream stream to have each message" },
  url: { value: "URL", help: "of the server, without --subject" },
  token: {
    value: "TOKEN",
    help:
      "to show there (default RINGSTORE_TOKEN, else signed with the private key)",
  },
  cluster: {
    value: "NAME",
    help: "of lines that name none, without --subject",
  },
  lines: { value: "N", help: `a message (default ${DEFAULT_LINES})` },
  rate: { value: "N", help: "lines a second (default as fast as it goes)" },
};

/** Flags that go with one kind of target only. */
const NATS_ONLY = ["nats", "ack"];
const HTTP_ONLY = ["url", "token", "cluster"];

/** Throws a {@linkcode UsageError}. */
export function readPublish({ values, rest }: ParsedFlags): PublishLine {
  const subject = values.get("subject");
  const wrong = (subject === undefined ? NATS_ONLY : HTTP_ONLY)
    .find((name) => values.has(name));
  if (wrong !== undefined) {
    throw new UsageError(
      subject === undefined
        ? `--${wrong} goes with --subject only`
        : `--${wrong} does not go with --subject`,
    );
  }
  if (subject !== undefined && !/^[^\s.*>]+(?:\.[^\s.*>]+)*$/.test(subject)) {
    throw new UsageError(
      `--subject is such as hpc.metrics, without wildcards, not "${subject}"`,
    );
  }
  const url = values.get("url");
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new UsageError(`--url is such as http://host:8082, not "${url}"`);
  }
  const [file] = rest;
  return {
    command: "publish",
    file: file === "-" ? undefined : file,
    target: subject === undefined
      ? {
        kind: "http",
        url,
        token: values.get("token"),
        cluster: values.get("cluster"),
      }
      : {
        kind: "nats",
        subject,
        address: values.get("nats"),
        acknowledged: values.get("ack") === "true",
      },
    lines: readCount(values, "lines", DEFAULT_LINES),
    rate: readCount(values, "rate", 0),
  };
}

function readCount(
  values: ReadonlyMap<string, string>,
  name: string,
  preset: number,
): number {
  const text = values.get(name);
  if (text === undefined) return preset;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`--${name} is a positive integer, not "${text}"`);
}
