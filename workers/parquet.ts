/** Entry of the worker that writes Parquet files while the server goes on. */
import { serveCalls } from "../src/base/worker_call.ts";
import type { ParquetCalls } from "../src/metricstore/parquet/parquet_calls.ts";
import { ParquetHandler } from "../src/metricstore/parquet/parquet_handler.ts";

const handler = new ParquetHandler();

serveCalls<ParquetCalls>((call) => handler.answer(call));
