/** Where a server listens, written `host:port`, `[v6]:port` or `:port` as in Go. */

export interface ListenAddress {
  /** A name or an IP address without brackets; `0.0.0.0` where none was written. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** `undefined` if it is no address. */
export function parseAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:[\]/]*)):(\d{1,5})$/.exec(
    text,
  );
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65535) return undefined;
  const host = match[1] ?? match[2] ?? "";
  return { host: host === "" ? "0.0.0.0" : host, port };
}

/** Whether only programs on this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.[\d.]+$/.test(host);
}
