/** The public face of the configuration. */
export { ConfigError, type ConfigProblem } from "./config_error.ts";
export type { ListenAddress } from "./address.ts";
export { isLoopback } from "./address.ts";
export { engineOptions } from "./engine_options.ts";
export { loadConfig, type LoadedConfig } from "./load.ts";
export type { ConfigNote } from "./notes.ts";
export type { Config } from "./schema.ts";
