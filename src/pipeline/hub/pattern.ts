/** Whether a path in a repository matches a pattern: `*` within a folder's name, `**` over folders, `?` one character. */
export function matches(name: string, pattern: string): boolean {
  const clean = pattern.replace(/^\.?\//, '');
  const source = clean.replace(/\*\*\/|\*\*|\*|\?|[^*?]+/g, (part) => PARTS[part] ?? literal(part));
  return new RegExp(`^${source}$`).test(name);
}

const PARTS: Readonly<Record<string, string>> = {
  '**/': '(?:[^/]+/)*',
  '**': '.*',
  '*': '[^/]*',
  '?': '[^/]',
};

const literal = (text: string): string => text.replace(/[.+^${}()|[\]\\]/g, '\\$&');
