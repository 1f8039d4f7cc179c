/**
 * The text of a configuration: JSON with comments, read from `config.json` and
 * from the files that `<section>-file` keys name. Keeps where each value stands,
 * so that a problem found later can be shown with its line.
 */
import { errorText } from "../../base/log.ts";
import {
  findNodeAtLocation,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { textWithoutMark } from "../../base/byte_order_mark.ts";
import { ConfigError, type ConfigProblem } from "./config_error.ts";

/** Keys from the top of the configuration. */
export type KeyPath = readonly (string | number)[];

export type Json =
  | null
  | boolean
  | number
  | string
  | Json[]
  | { [key: string]: Json };

/** Longest piece of a value that a message shows. */
const SHOWN_CHARS = 80;

/** Reads a whole text file; throws what the system says. */
export type ReadText = (path: string) => string;

interface Document {
  readonly file: string;
  readonly text: string;
  readonly tree: Node;
}

export class ConfigSource {
  /** The configuration as written, sections from other files put in their place. */
  readonly value: { [key: string]: Json };
  readonly #top: Document;
  readonly #sectionFiles = new Map<string, Document>();

  /**
   * Throws a {@linkcode ConfigError} if a file is not JSON, if a key is given twice, or
   * if a section is given both in place and as a file.
   */
  constructor(file: string, sections: readonly string[], read: ReadText) {
    this.#top = readDocument(file, read);
    const value = plainValue(this.#top, this.#top.tree, []);
    if (!isObject(value)) {
      throw new ConfigError([
        problemAt(this.#top, this.#top.tree, "", shown(value), "an object"),
      ]);
    }
    this.value = value;
    const problems: ConfigProblem[] = [];
    for (const section of sections) {
      const key = `${section}-file`;
      if (!(key in value)) continue;
      const path = value[key];
      if (typeof path !== "string" || path === "") {
        problems.push(this.problem([key], shown(path), "the name of a file"));
      } else if (section in value) {
        problems.push(
          this.problem([key], shown(path), `no second section "${section}"`),
        );
      } else {
        const document = readDocument(path, read);
        this.#sectionFiles.set(section, document);
        value[section] = plainValue(document, document.tree, [section]);
      }
      delete value[key];
    }
    if (problems.length > 0) throw new ConfigError(problems);
  }

  /** A problem with the value at a path, or with its absence. */
  problem(
    path: KeyPath,
    found: string | undefined,
    expected: string,
  ): ConfigProblem {
    const [section] = path;
    const own = this.#sectionFiles.get(String(section));
    const document = own ?? this.#top;
    const inside = own === undefined ? [...path] : path.slice(1);
    let node: Node | undefined;
    // The place of a missing value is the beginning of the object around it.
    for (; node === undefined; inside.pop()) {
      node = inside.length === 0
        ? document.tree
        : findNodeAtLocation(document.tree, inside);
    }
    return problemAt(
      document,
      node,
      path.join("."),
      found ?? shown(this.at(path)),
      expected,
    );
  }

  /** The value at a path; `undefined` if there is none. */
  at(path: KeyPath): Json | undefined {
    let value: Json | undefined = this.value;
    for (const key of path) {
      if (Array.isArray(value)) value = value[Number(key)];
      else if (isObject(value)) value = value[String(key)];
      else return undefined;
    }
    return value;
  }
}

/** Returns whether a JSON value is an object, neither a list nor null. */
export function isObject(
  value: Json | undefined,
): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Returns a value as messages show it; the content of objects and lists may be secret.
 */
function shown(value: Json | undefined): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "got a list";
  if (isObject(value)) return "got an object";
  const text = JSON.stringify(value);
  return text.length <= SHOWN_CHARS
    ? `got ${text}`
    : `got ${text.slice(0, SHOWN_CHARS)}…`;
}

function readDocument(file: string, read: ReadText): Document {
  let text: string;
  try {
    text = textWithoutMark(read(file));
  } catch (cause) {
    const reason = errorText(cause);
    throw new ConfigError([{
      file,
      line: 0,
      column: 0,
      path: "",
      found: `cannot be read (${reason})`,
      expected: "a readable file of JSON, comments allowed",
    }]);
  }
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined || tree === undefined) {
    throw new ConfigError([{
      file,
      ...placeOf(text, first?.offset ?? 0),
      path: "",
      found: first === undefined
        ? "is empty"
        : `is not JSON (${printParseErrorCode(first.error)})`,
      expected: "JSON, comments allowed",
    }]);
  }
  return { file, text, tree };
}

/**
 * The value without its positions, in objects without a prototype, so that no
 * key has a meaning of its own. A key given twice would hide a value: refused.
 */
function plainValue(document: Document, node: Node, path: KeyPath): Json {
  const children = node.children ?? [];
  if (node.type === "array") {
    return children.map((item, i) => plainValue(document, item, [...path, i]));
  }
  if (node.type !== "object") return node.value as Json;
  const object = Object.create(null) as { [key: string]: Json };
  for (const { children: pair } of children) {
    const [keyNode, valueNode] = pair ?? [];
    if (keyNode === undefined || valueNode === undefined) continue;
    const key = String(keyNode.value);
    const keyPath = [...path, key];
    if (key in object || key === "__proto__") {
      throw new ConfigError([
        problemAt(
          document,
          keyNode,
          keyPath.join("."),
          key === "__proto__" ? "is reserved" : "given twice",
          key === "__proto__" ? "another name" : "each key once",
        ),
      ]);
    }
    object[key] = plainValue(document, valueNode, keyPath);
  }
  return object;
}

function problemAt(
  document: Document,
  node: Node,
  path: string,
  found: string,
  expected: string,
): ConfigProblem {
  const place = placeOf(document.text, node.offset);
  return { file: document.file, ...place, path, found, expected };
}

function placeOf(
  text: string,
  offset: number,
): { line: number; column: number } {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
