/** A Parquet file cannot be written; its samples stay in memory. */
export class ParquetError extends Error {
  /** File or directory; empty where it is neither. */
  readonly path: string;

  constructor(message: string, path = "") {
    super(message);
    this.name = "ParquetError";
    this.path = path;
  }
}
