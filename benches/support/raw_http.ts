/**
 * One keep-alive HTTP/1.1 connection with hand-written requests, so that the
 * client costs next to nothing beside the server it measures, and may send the
 * body of a GET. One request at a time; bodies of answers are counted, and kept
 * only when asked for.
 */

/** A server that has not answered by then has stopped answering. */
const EXCHANGE_MS = 30_000;
const READ_BYTES = 256 * 1024;
const CR = 13;
const LF = 10;

export interface RawAnswer {
  readonly status: number;
  readonly bodyBytes: number;
  /** Present when it was asked for. */
  readonly body: Uint8Array | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A whole request; `headerLines` each end with CRLF. */
export function encodeRequest(
  method: string,
  path: string,
  headerLines: string,
  body: Uint8Array | string,
): Uint8Array<ArrayBuffer> {
  const payload = typeof body === "string" ? encoder.encode(body) : body;
  const head = encoder.encode(
    `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${headerLines}Content-Length: ${payload.length}\r\n\r\n`,
  );
  const request = new Uint8Array(head.length + payload.length);
  request.set(head);
  request.set(payload, head.length);
  return request;
}

export class RawConnection {
  readonly #connection: Deno.TcpConn;
  readonly #buffer = new Uint8Array(READ_BYTES);
  /** Bytes received and not yet used: `#buffer[#from, #to)`. */
  #from = 0;
  #to = 0;
  #kept: Uint8Array[] | undefined;
  #closed = false;
  #gaveUp = false;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async open(port: number): Promise<RawConnection> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    return new RawConnection(connection);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
  }

  /** Sends one encoded request and reads its answer to the end, or gives up. */
  async exchange(request: Uint8Array, keepBody = false): Promise<RawAnswer> {
    const timer = setTimeout(() => this.#giveUp(), EXCHANGE_MS);
    try {
      return await this.#exchange(request, keepBody);
    } catch (cause) {
      if (!this.#gaveUp) throw cause;
      throw new Error(`no answer within ${EXCHANGE_MS} ms`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  #giveUp(): void {
    this.#gaveUp = true;
    this.close();
  }

  async #exchange(request: Uint8Array, keepBody: boolean): Promise<RawAnswer> {
    for (let sent = 0; sent < request.length;) {
      sent += await this.#connection.write(request.subarray(sent));
    }
    const head = await this.#readHead();
    const status = Number(head.slice(9, 12));
    this.#kept = keepBody ? [] : undefined;
    const bodyBytes = status === 204 ? 0 : await this.#readBody(head);
    return { status, bodyBytes, body: this.#takeKept(bodyBytes) };
  }

  /** Up to and with the blank line. */
  async #readHead(): Promise<string> {
    let seen = 0;
    while (true) {
      for (let i = this.#from + seen; i + 3 < this.#to; i++) {
        const b = this.#buffer;
        if (
          b[i] === CR && b[i + 1] === LF && b[i + 2] === CR && b[i + 3] === LF
        ) {
          const head = decoder.decode(b.subarray(this.#from, i + 4));
          this.#from = i + 4;
          return head;
        }
      }
      seen = Math.max(0, this.#to - this.#from - 3);
      await this.#receive();
    }
  }

  async #readBody(head: string): Promise<number> {
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    if (length !== null) return this.#skip(Number(length[1]));
    if (!/\r\ntransfer-encoding: *chunked/i.test(head)) {
      throw new Error(`an answer without a length: ${head}`);
    }
    let total = 0;
    while (true) {
      const size = parseInt(await this.#readLine(), 16);
      if (Number.isNaN(size)) throw new Error("a chunk without a size");
      if (size === 0) {
        while (await this.#readLine() !== "");
        return total;
      }
      total += await this.#skip(size);
      await this.#readLine();
    }
  }

  async #readLine(): Promise<string> {
    while (true) {
      const end = this.#buffer.subarray(0, this.#to).indexOf(LF, this.#from);
      if (end >= 0) {
        const line = decoder.decode(this.#buffer.subarray(this.#from, end));
        this.#from = end + 1;
        return line.trimEnd();
      }
      await this.#receive();
    }
  }

  /** Uses up `count` bytes of a body. */
  async #skip(count: number): Promise<number> {
    let left = count;
    while (left > 0) {
      if (this.#from === this.#to) await this.#receive();
      const here = Math.min(left, this.#to - this.#from);
      this.#kept?.push(this.#buffer.slice(this.#from, this.#from + here));
      this.#from += here;
      left -= here;
    }
    return count;
  }

  async #receive(): Promise<void> {
    if (this.#from === this.#to) this.#from = this.#to = 0;
    if (this.#to === this.#buffer.length) {
      if (this.#from === 0) throw new Error("a head longer than the buffer");
      this.#buffer.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    const count = await this.#connection.read(this.#buffer.subarray(this.#to));
    if (count === null) throw new Error("the server closed the connection");
    this.#to += count;
  }

  #takeKept(bytes: number): Uint8Array | undefined {
    if (this.#kept === undefined) return undefined;
    const body = new Uint8Array(bytes);
    let at = 0;
    for (const part of this.#kept) {
      body.set(part, at);
      at += part.length;
    }
    this.#kept = undefined;
    return body;
  }
}
