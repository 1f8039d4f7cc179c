/**
 * The main thread's end of the worker that writes Parquet files. Parquet and zstd take
 * long, and the main thread serves HTTP meanwhile. Main thread only.
 */
import {
  type CallInput,
  type CallOutput,
  WorkerClient,
} from "../../base/worker_call.ts";
import type { ParquetCalls } from "./parquet_calls.ts";
import { ParquetError } from "./parquet_error.ts";

export class ParquetWorkerClient {
  readonly #client: WorkerClient<ParquetCalls>;

  constructor() {
    const worker = new Worker(
      new URL("../../../workers/parquet.ts", import.meta.url),
      { type: "module", name: "parquet" },
    );
    this.#client = new WorkerClient<ParquetCalls>(worker, {
      callsMax: 1,
      overload: "a Parquet file is written call by call",
      errorOf: ({ message, path }) => new ParquetError(message, path),
      lost: (reason) => new ParquetError(`the worker died: ${reason}`),
    });
  }

  /** Rejects with a {@linkcode ParquetError}. */
  call<Name extends Exclude<keyof ParquetCalls, "addSeries">>(
    name: Name,
    input: CallInput<ParquetCalls, Name>,
  ): Promise<CallOutput<ParquetCalls, Name>> {
    return this.#client.call(name, input);
  }

  /** Hands series over; the pieces' memory moves to the worker. */
  addSeries(pieces: readonly Uint8Array<ArrayBuffer>[]): Promise<void> {
    const buffers = pieces.map((one) => one.buffer);
    return this.#client.call("addSeries", pieces, buffers);
  }

  /** Ends the thread at once; a file that is not in place never will be. */
  end(): void {
    this.#client.end(new ParquetError("the archive's worker was ended"));
  }
}
