/** The durable consumer of a subscription at the broker: found, or made. */
import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
} from "@nats-io/jetstream";

const NANOS_PER_MS = 1e6;
/** Also how long after a kill the outstanding messages come again. */
const ACK_WAIT_MS = 5000;
/**
 * Messages delivered and not acknowledged. This and `ACK_WAIT_MS` hold only for
 * consumers that this server makes.
 */
const MAX_ACK_PENDING = 256;

export interface DurableName {
  readonly subject: string;
  readonly stream: string;
  readonly durable: string;
}

export interface Durable {
  readonly info: ConsumerInfo;
  readonly ackWaitMs: number;
  /** Names stream and consumer as they are now: made again they are others. */
  readonly identity: string;
}

/**
 * Asks for the consumer and makes it where it is missing. Rejects where there is
 * no such stream, or with an error where the consumer there reads something else.
 */
export async function openDurable(
  manager: JetStreamManager,
  { subject, stream, durable }: DurableName,
): Promise<Durable> {
  const { created } = await manager.streams.info(stream);
  const info = await findConsumer(manager, stream, durable) ??
    await manager.consumers.add(stream, {
      durable_name: durable,
      filter_subject: subject,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: ACK_WAIT_MS * NANOS_PER_MS,
      max_ack_pending: MAX_ACK_PENDING,
    });
  const { config } = info;
  const problem = config.deliver_subject !== undefined
    ? "pushes its messages"
    : config.ack_policy !== AckPolicy.Explicit
    ? `has the acknowledgement policy "${config.ack_policy}", not "explicit"`
    : (config.filter_subject ?? subject) !== subject
    ? `reads "${config.filter_subject}", not "${subject}"`
    : undefined;
  if (problem !== undefined) {
    throw new Error(`durable ${durable} of stream ${stream} ${problem}`);
  }
  return {
    info,
    ackWaitMs: (config.ack_wait ?? ACK_WAIT_MS * NANOS_PER_MS) / NANOS_PER_MS,
    identity: `jetstream ${stream} ${created} ${durable} ${info.created}`,
  };
}

async function findConsumer(
  manager: JetStreamManager,
  stream: string,
  durable: string,
): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(stream, durable);
  } catch (error) {
    const isMissing = error instanceof JetStreamApiError &&
      error.code === JetStreamApiCodes.ConsumerNotFound;
    if (isMissing) return undefined;
    throw error;
  }
}
