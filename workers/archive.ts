/** Entry of the archive's worker: writes Parquet files while the server goes on. */
import { ArchiveDesk } from "../src/metricstore/parquet/archive_desk.ts";
import type {
  ArchiveAnswer,
  ArchiveRequest,
} from "../src/metricstore/parquet/archive_messages.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<ArchiveRequest>) => void;
  postMessage(answer: ArchiveAnswer): void;
};

const desk = new ArchiveDesk();

scope.onmessage = (event) => scope.postMessage(desk.answer(event.data));
