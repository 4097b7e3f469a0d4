import { z } from 'zod';

/** An error as to-wire.ts writes it, wherever it is read again: codes and params are not checked. */
export const wireErrorSchema = z.object({
  code: z.string(),
  params: z.record(z.string(), z.unknown()),
  aftermath: z
    .object({
      current: z.string().nullable(),
      reverted: z.boolean(),
      revertError: z.object({ code: z.string(), params: z.record(z.string(), z.unknown()) }).optional(),
    })
    .optional(),
});
