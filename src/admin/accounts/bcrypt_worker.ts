/** The other side of `bcrypt_check.ts`: answers one question. Its own thread. */
import bcrypt from "bcryptjs";

export interface BcryptQuestion {
  readonly password: string;
  readonly hash: string;
}

export interface BcryptAnswer {
  readonly fits: boolean;
}

/** A hash that is none fits nothing. */
export function answerBcrypt({ password, hash }: BcryptQuestion): BcryptAnswer {
  return { fits: bcrypt.compareSync(password, hash) };
}
