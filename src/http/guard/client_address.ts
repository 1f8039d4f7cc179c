/**
 * Who is at the other end: the peer of the socket, and where that is a trusted
 * proxy, what the proxy says. Anybody can send forwarding headers, so nobody
 * else's count.
 */
import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

/** Answers kept; a proxy can name any address, so there is an end to them. */
const KEPT_MAX = 4096;
/** The longest address; only the zone of one, which anybody can make up, is longer. */
const KEPT_CHARS = 45;

/** A set of addresses and networks. */
export class AddressSet {
  readonly #list = new BlockList();
  /** What was found out before: every request asks, of the same few clients. */
  readonly #known = new Map<string, boolean>();

  /** Each an address or `address/bits`. Throws a `RangeError` naming one that is neither. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const [address = "", bits] = entry.split("/");
      const version = isIP(address);
      const most = version === 4 ? 32 : 128;
      const prefix = bits === undefined ? most : Number(bits);
      if (
        version === 0 || !/^\d+$/.test(bits ?? "0") || prefix > most
      ) {
        throw new RangeError(
          `${JSON.stringify(entry)} is neither an address nor a network`,
        );
      }
      this.#list.addSubnet(address, prefix, family(version));
    }
  }

  has(address: string): boolean {
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const version = isIP(address);
    if (version === 0) return false;
    const isIn = this.#list.check(address, family(version));
    if (address.length <= KEPT_CHARS) this.#keep(address, isIn);
    return isIn;
  }

  #keep(address: string, isIn: boolean): void {
    if (this.#known.size >= KEPT_MAX) this.#known.clear();
    this.#known.set(address, isIn);
  }
}

function family(version: number): "ipv4" | "ipv6" {
  return version === 4 ? "ipv4" : "ipv6";
}

const LOOPBACK = new AddressSet(["127.0.0.0/8", "::1"]);

/**
 * The address of the client: from the right, the first hop of `X-Forwarded-For`
 * that is not a trusted proxy, or `X-Real-Ip` where that header is absent.
 */
export function clientAddress(
  req: Pick<IncomingMessage, "socket" | "headers">,
  trusted: AddressSet,
): string {
  let address = plain(req.socket.remoteAddress ?? "");
  if (!trusted.has(address)) return address;
  const forwarded = headerText(req.headers["x-forwarded-for"]);
  const hops = forwarded === ""
    ? [headerText(req.headers["x-real-ip"])]
    : forwarded.split(",").reverse();
  for (const hop of hops) {
    const next = plain(hop.trim());
    if (isIP(next) === 0) return address;
    address = next;
    if (!trusted.has(address)) return address;
  }
  return address;
}

/** Whether a proxy on this machine, or who plays one, says where a request came from. */
export function isForwardedLocally(
  req: Pick<IncomingMessage, "socket" | "headers">,
): boolean {
  const { headers } = req;
  const says = headers["x-forwarded-for"] ?? headers["x-real-ip"] ??
    headers["x-forwarded-proto"];
  return says !== undefined &&
    LOOPBACK.has(plain(req.socket.remoteAddress ?? ""));
}

/**
 * Whether the client came by HTTPS, to us or to the trusted proxy that is our peer.
 * Of a list the last word is that proxy's own; what stands before it anybody can send.
 */
export function cameSecurely(
  req: Pick<IncomingMessage, "socket" | "headers">,
  trusted: AddressSet,
): boolean {
  if ("encrypted" in req.socket && req.socket.encrypted) return true;
  const schemes = headerText(req.headers["x-forwarded-proto"]);
  const last = schemes.slice(schemes.lastIndexOf(",") + 1).trim();
  return last.toLowerCase() === "https" &&
    trusted.has(plain(req.socket.remoteAddress ?? ""));
}

function headerText(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(",") : value ?? "";
}

/** Without a port, brackets, or the prefix of an IPv4 address in an IPv6 socket. */
function plain(address: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(address);
  if (bracketed !== null) return bracketed[1]!;
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(address);
  if (withPort !== null) return withPort[1]!;
  return address.startsWith("::ffff:") && isIP(address.slice(7)) === 4
    ? address.slice(7)
    : address;
}
