/** What the program says beside its log: answers to commands, and why it ends. */

const encoder = new TextEncoder();

/** Prints text and a line end on standard output. */
export function printLine(text: string): void {
  writeAll(Deno.stdout, text);
}

/** Prints text and a line end on standard error. */
export function printError(text: string): void {
  writeAll(Deno.stderr, text);
}

/** Prints bytes on standard output as they are. */
export function writeOutput(bytes: Uint8Array): void {
  writeBytes(Deno.stdout, bytes);
}

/** Shows text on a terminal in place of what was shown before; `""`: nothing. */
export function drawStatus(text: string): void {
  writeBytes(Deno.stderr, encoder.encode(`\r\x1b[K${text}`));
}

function writeAll(stream: Stream, text: string): void {
  writeBytes(stream, encoder.encode(`${text}\n`));
}

interface Stream {
  writeSync(bytes: Uint8Array): number;
}

/** A pipe may take less than it is given. */
export function writeBytes(stream: Stream, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) at += stream.writeSync(bytes.subarray(at));
}
