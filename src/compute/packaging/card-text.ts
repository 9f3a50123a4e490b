/** Texts as they may be in a model card. */

/** In a cell of a Markdown table. */
export const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');

/** A YAML scalar in single quotes. */
export const quote = (text: string): string => `'${text.replaceAll("'", "''").replace(/\s+/g, ' ')}'`;
