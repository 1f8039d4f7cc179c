/**
 * Cuts a stream of lines into messages: whole lines, at most so many and at most so
 * many bytes. Runs anywhere; keeps one message and one chunk in memory.
 */
const LF = 0x0a;

export interface LineGroup {
  readonly bytes: Uint8Array;
  readonly lines: number;
}

/** A line is longer than a message may be. */
export class LineTooLongError extends Error {
  readonly code = "E_LINE_TOO_LONG";

  constructor(line: number, bytesMax: number) {
    super(`line ${line} is longer than a message may be (${bytesMax} bytes)`);
    this.name = "LineTooLongError";
  }
}

/** The last line may lack its line break. Throws a {@linkcode LineTooLongError}. */
export async function* lineGroups(
  source: AsyncIterable<Uint8Array>,
  linesMax: number,
  bytesMax: number,
): AsyncGenerator<LineGroup> {
  let rest = new Uint8Array(0);
  let linesBefore = 0;
  for await (const chunk of source) {
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    let from = 0;
    for (;;) {
      const cut = cutGroup(bytes, from, linesMax, bytesMax);
      if (cut.end === from) break;
      // Fewer lines than there may be: the next chunk may bring them.
      if (cut.lines < linesMax && bytes.length - from <= bytesMax) break;
      yield { bytes: bytes.slice(from, cut.end), lines: cut.lines };
      linesBefore += cut.lines;
      from = cut.end;
    }
    rest = bytes.slice(from);
    if (rest.length > bytesMax && !rest.subarray(0, bytesMax).includes(LF)) {
      throw new LineTooLongError(linesBefore + 1, bytesMax);
    }
  }
  let from = 0;
  while (from < rest.length) {
    const cut = cutGroup(rest, from, linesMax, bytesMax);
    const isTail = cut.end === from || cut.end === rest.length;
    const tail = rest.subarray(cut.end);
    // The last line, without a line break, goes along where it fits.
    const takesTail = !isTail && !tail.includes(LF) && cut.lines < linesMax &&
      rest.length - from <= bytesMax;
    const end = cut.end === from || takesTail ? rest.length : cut.end;
    const lines = cut.lines + (cut.end === from || takesTail ? 1 : 0);
    yield { bytes: rest.slice(from, end), lines };
    from = end;
  }
}

/** Where a group of whole lines that begins at `from` ends; `from`: there is none. */
function cutGroup(
  bytes: Uint8Array,
  from: number,
  linesMax: number,
  bytesMax: number,
): { end: number; lines: number } {
  let end = from;
  let lines = 0;
  while (lines < linesMax) {
    const at = bytes.indexOf(LF, end) + 1;
    if (at === 0 || at - from > bytesMax) break;
    end = at;
    lines++;
  }
  return { end, lines };
}
