/** Entry of a thread that checks one bcrypt hash. */
import {
  answerBcrypt,
  type BcryptCalls,
} from "../src/admin/accounts/bcrypt_worker.ts";
import { serveCalls } from "../src/base/worker_call.ts";

serveCalls<BcryptCalls>(({ input }) => answerBcrypt(input));
