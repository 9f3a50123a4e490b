/** What a table itself has under a name that may be anything: nothing that every object inherits. */
export const lookUp = <T>(
  table: Readonly<Record<string, T>> | undefined,
  name: string | undefined,
): T | undefined =>
  table !== undefined && name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
