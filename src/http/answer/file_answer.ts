/** A small file as an answer, with conditional and range requests (RFC 9110). */
import type { RequestHeaders } from "../../access/credentials.ts";
import type { ApiAnswer } from "../api_route.ts";

/** `undefined`: there is no such file. The file is read as a whole. */
export async function fileAnswer(
  path: string,
  type: string,
  headers: RequestHeaders,
): Promise<ApiAnswer | undefined> {
  let bytes: Uint8Array;
  let modified: Date;
  try {
    bytes = await Deno.readFile(path);
    modified = (await Deno.stat(path)).mtime ?? new Date(0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const lastModified = modified.toUTCString();
  const common = {
    "Last-Modified": lastModified,
    "Accept-Ranges": "bytes",
    "Content-Type": type,
  };
  const since = Date.parse(text(headers["if-modified-since"]));
  // HTTP dates have no fractions of a second.
  if (Math.floor(modified.getTime() / 1000) * 1000 <= since) {
    return {
      status: 304,
      headers: { "Last-Modified": lastModified },
      body: "",
    };
  }
  const ifRange = text(headers["if-range"]);
  const range = ifRange === "" || ifRange === lastModified
    ? parseRange(text(headers["range"]), bytes.byteLength)
    : undefined;
  if (range === undefined) return { status: 200, headers: common, body: bytes };
  if (range === "unsatisfiable") {
    return {
      status: 416,
      headers: { "Content-Range": `bytes */${bytes.byteLength}` },
      body: "",
    };
  }
  const [start, end] = range;
  return {
    status: 206,
    headers: {
      ...common,
      "Content-Range": `bytes ${start}-${end - 1}/${bytes.byteLength}`,
    },
    body: bytes.subarray(start, end),
  };
}

/** [start, end) of a single range; several, or another unit: as if none was asked for. */
function parseRange(
  header: string,
  size: number,
): [number, number] | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : [size - length, size];
  }
  const start = Number(first);
  const end = last === "" ? size : Math.min(Number(last) + 1, size);
  if (start >= size) return "unsatisfiable";
  return end > start ? [start, end] : undefined;
}

function text(value: string | string[] | undefined): string {
  return typeof value === "string" ? value : "";
}
