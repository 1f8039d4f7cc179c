/** The other side of `bcrypt_check.ts`: answers one call. Its own thread. */
import bcrypt from "bcryptjs";

export interface BcryptQuestion {
  readonly password: string;
  readonly hash: string;
}

export interface BcryptCalls {
  verify(question: BcryptQuestion): boolean;
}

/** Returns whether the password fits the hash; false for a text that is no hash. */
export function answerBcrypt({ password, hash }: BcryptQuestion): boolean {
  return bcrypt.compareSync(password, hash);
}
