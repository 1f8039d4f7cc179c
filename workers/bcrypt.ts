/** Entry of a thread that checks one bcrypt hash. */
import {
  answerBcrypt,
  type BcryptAnswer,
  type BcryptQuestion,
} from "../src/admin/accounts/bcrypt_worker.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<BcryptQuestion>) => void;
  postMessage(answer: BcryptAnswer): void;
};

scope.onmessage = ({ data }) => scope.postMessage(answerBcrypt(data));
