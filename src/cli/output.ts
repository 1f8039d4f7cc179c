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

function writeAll(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  const bytes = encoder.encode(`${text}\n`);
  let at = 0;
  while (at < bytes.length) at += stream.writeSync(bytes.subarray(at));
}
