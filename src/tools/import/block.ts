import { comment } from './literals.js';
import type { Recipe } from './recipe.js';

/** A block with its settings; what is `undefined` is not set. */
export function block(
  heading: string,
  settings: Readonly<Record<string, string | undefined>>,
  remarks: Recipe['remarks'] = [],
): readonly string[] {
  const lines = Object.entries(settings).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const about = remarks.filter(({ at }) => (at as string) === name).flatMap(({ text }) => comment(text));
    return [...new Set(about), `${name} = ${value}`];
  });
  return [`${heading} {`, ...lines, '}', ''];
}
