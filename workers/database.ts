/** Entry of the database workers: one writes `main.db`, another one reads it. */
import {
  type CallsMessage,
  type WorkerMessage,
  workerScope,
} from "../src/base/worker_call.ts";
import type { DatabaseCalls } from "../src/db/database_calls.ts";
import { DatabaseHandler } from "../src/db/database_handler.ts";

const worker = workerScope<CallsMessage<DatabaseCalls>, WorkerMessage>();
const handler = new DatabaseHandler((message) => worker.postMessage(message));

worker.onmessage = (event) => handler.receive(event.data);
