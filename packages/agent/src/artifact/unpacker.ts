import type { Unpacked } from '../unpack/unpack-order.ts';

/** Takes an artifact's bytes as they come, and unpacks them into one staging directory. Whoever started it finishes or kills it. */
export interface Unpacker {
  /** How many entries stand, by what it last said. */
  readonly entries: number;
  /** Passes bytes on; resolves when it can take more. False: it has ended, and `outcome` says how. */
  write(bytes: Buffer): Promise<boolean>;
  /** Says that all bytes were passed on. @throws the DeployError of what is wrong with them; INTERNAL when it ended without a word. */
  finish(): Promise<Unpacked>;
  /** Waits for its end, which may come before all bytes have. @throws like `finish`. */
  outcome(): Promise<Unpacked>;
  /** Ends it at once; when this resolves it writes nothing more. */
  kill(): Promise<void>;
}
