/** A part of a JSON schema, as the OpenAPI document has it. */
export type Shown = Readonly<Record<string, unknown>>;

const KEY = 'shown';

/** Metadata for a zod schema: how it is shown, instead of what zod makes of its unions and transforms. */
export function shown(schema: Shown): { [KEY]: Shown } {
  return { [KEY]: schema };
}

/** For zod's `toJSONSchema`: shows each schema as its metadata says. */
export function showAsTold({ jsonSchema }: { jsonSchema: Record<string, unknown> }): void {
  const told = jsonSchema[KEY];
  if (typeof told !== 'object' || told === null) return;
  for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
  Object.assign(jsonSchema, told);
}
