/** Columns have usual names, by which templates read them, and those of their source, by which people know them. */

/** Usual name of a column → its name in the source. */
export type Columns = Readonly<Record<string, string>>;

/** What a column with a usual name is called in the source. */
export type OwnName = (usual: string) => string;

export const ownNames =
  (columns: Columns): OwnName =>
  (usual) =>
    Object.hasOwn(columns, usual) ? (columns[usual] ?? usual) : usual;
