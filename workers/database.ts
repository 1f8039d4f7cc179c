/** Entry of the database workers: one writes `main.db`, another one reads it. */
import { DatabaseDesk } from "../src/db/database_desk.ts";
import type {
  DatabaseAnswer,
  DatabaseRequest,
} from "../src/db/database_messages.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<DatabaseRequest>) => void;
  postMessage(answer: DatabaseAnswer): void;
};

const desk = new DatabaseDesk((answer) => scope.postMessage(answer));

scope.onmessage = (event) => desk.receive(event.data);
