/** Writing all of it: one system call unless the system takes only a part. */
import type { OpenFile } from "./files.ts";

/** Throws what the system says; how many bytes were taken is then unknown. */
export function writeAll(file: OpenFile, bytes: Uint8Array): void {
  let written = file.write(bytes);
  // A disk that fills up takes a part first; the next call gives the reason.
  while (written < bytes.length) {
    const count = file.write(bytes.subarray(written));
    if (count === 0) throw new Error("the device takes no more bytes");
    written += count;
  }
}
