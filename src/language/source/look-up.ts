/** What a table itself has under a name that may be anything: nothing that every object inherits. */
export const lookUp = <T>(
  table: Readonly<Record<string, T>> | undefined,
  name: string | undefined,
): T | undefined =>
  table !== undefined && name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;

/** `{ true: 'yes on' }` → `{ yes: 'true', on: 'true' }`: what each of several words means. */
export const byWord = (words: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(words).flatMap(([meaning, list]) => list.split(' ').map((word) => [word, meaning])),
  );
