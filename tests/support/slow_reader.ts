/** A client that asks and then reads only as much as it is told to. */
import assert from "node:assert/strict";

export class SlowReader {
  readonly #connection: Deno.TcpConn;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Sends `GET path` by HTTP/1.0, so that the answer ends with the connection. */
  static async ask(
    port: number,
    path: string,
    token: string,
  ): Promise<SlowReader> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const request = new TextEncoder().encode(
      `GET ${path} HTTP/1.0\r\nHost: localhost\r\n` +
        `Authorization: Bearer ${token}\r\n\r\n`,
    );
    for (let sent = 0; sent < request.length;) {
      sent += await connection.write(request.subarray(sent));
    }
    return new SlowReader(connection);
  }

  /** Reads the first bytes: the answer has begun. */
  async first(): Promise<string> {
    const bytes = new Uint8Array(1024);
    const read = await this.#connection.read(bytes);
    assert.ok(read !== null, "the answer ended before it began");
    return new TextDecoder().decode(bytes.subarray(0, read));
  }

  /** Everything that is left. */
  rest(): Promise<string> {
    return new Response(this.#connection.readable).text();
  }

  /** Reads to the end and gives the number of bytes. */
  async drain(): Promise<number> {
    const bytes = new Uint8Array(1 << 20);
    let sum = 0;
    for (;;) {
      const read = await this.#connection.read(bytes);
      if (read === null) break;
      sum += read;
    }
    this.#connection.close();
    return sum;
  }

  close(): void {
    this.#connection.close();
  }
}

/** The body of an answer. */
export function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}
