/**
 * The licence files an operator has put into `main.license-dir`: they are listed,
 * and nothing depends on them, so their signatures are not looked at. Main thread.
 */
import { decodeJwt } from "jose";
import { z } from "zod";
import { ClientError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Shown } from "./resource.ts";
import type { licenceSchema } from "./schemas.ts";
import { timeOfMs } from "./timestamps.ts";

export type Licence = z.infer<typeof licenceSchema>;

const ENDING = ".jwt";
const FILES_MAX = 100;
const FILE_BYTES_MAX = 64 << 10;

const text = z.string().default("");
const integer = z.int().default(0);

/** What a file may leave out is shown as empty or 0. */
const claimsSchema = z.object({
  jti: text,
  iss: text,
  sub: text,
  iat: integer,
  exp: integer,
  nbf: integer,
  lexp: integer,
  lid: text,
  max_users: integer,
  included_admins: integer,
  included_viewers: integer,
  lic_exp_warn_days: integer,
  prod: z.array(z.string()).default([]),
  company: text,
  slug: text,
});

export class Licences {
  readonly #directory: string;
  readonly #log: Pick<Log, "warnOnce">;
  /** The last text of each file, and how many different ones there were. */
  readonly #versions = new Map<string, { text: string; version: number }>();

  /** `directory`: `""` for none. */
  constructor(directory: string, log: Pick<Log, "warnOnce">) {
    this.#directory = directory;
    this.#log = log;
  }

  /** By name. Files that cannot be read are reported in the log and left out. */
  async list(): Promise<Licence[]> {
    const licences: Licence[] = [];
    for (const name of await this.#names()) {
      const licence = await this.#read(name);
      if (licence !== undefined) licences.push(licence.value);
    }
    return licences;
  }

  /** Throws `E_NOT_FOUND`, also where the file cannot be read. */
  async get(name: string): Promise<Shown<Licence>> {
    const isThere = (await this.#names()).includes(name);
    const licence = isThere ? await this.#read(name) : undefined;
    if (licence !== undefined) return licence;
    throw new ClientError("E_NOT_FOUND", `there is no license ${name}`);
  }

  async #names(): Promise<string[]> {
    if (this.#directory === "") return [];
    const names: string[] = [];
    try {
      for await (const entry of Deno.readDir(this.#directory)) {
        if (entry.isDirectory || !entry.name.endsWith(ENDING)) continue;
        names.push(entry.name.slice(0, -ENDING.length));
      }
    } catch (error) {
      this.#report(this.#directory, "cannot be read", error);
      return [];
    }
    return names.sort().slice(0, FILES_MAX);
  }

  async #read(name: string): Promise<Shown<Licence> | undefined> {
    const path = `${this.#directory}/${name}${ENDING}`;
    try {
      const { size, mtime } = await Deno.stat(path);
      if (size > FILE_BYTES_MAX) {
        throw new Error(`${size} bytes, at most ${FILE_BYTES_MAX} are read`);
      }
      const text = (await Deno.readTextFile(path)).trim();
      const token = claimsSchema.parse(decodeJwt(text));
      const value = {
        name,
        display_name: name,
        created_at: timeOfMs(mtime?.getTime() ?? 0),
        token,
      };
      return { value, version: this.#version(name, text) };
    } catch (error) {
      this.#report(path, "is no licence", error);
      return undefined;
    }
  }

  #version(name: string, text: string): number {
    const last = this.#versions.get(name);
    if (last?.text === text) return last.version;
    const version = (last?.version ?? 0) + 1;
    this.#versions.set(name, { text, version });
    return version;
  }

  #report(path: string, what: string, error: unknown): void {
    this.#log.warnOnce(`licence ${path}`, `a licence file ${what}`, {
      path,
      error,
    });
  }
}
