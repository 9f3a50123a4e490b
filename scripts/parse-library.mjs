// Writes the syntax trees of the library's long modules to dist/stdlib: parsing them takes longer than most commands.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourceText } from '../dist/src/language/source/text.js';
import { parse } from '../dist/src/language/syntax/parse.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, 'dist', 'stdlib', 'std');
/** Lines; what is shorter is parsed as fast as its tree is read. */
const LONG = 500;

mkdirSync(out, { recursive: true });
for (const name of readdirSync(join(root, 'stdlib', 'std')).filter((file) => file.endsWith('.ftp'))) {
  const text = readFileSync(join(root, 'stdlib', 'std', name), 'utf8');
  if (text.split('\n').length < LONG) continue;
  const { tree, diagnostics } = parse(sourceText(`std/${name}`, text));
  if (diagnostics.length > 0) throw new Error(`std/${name}: ${diagnostics[0].message}`);
  const sha256 = createHash('sha256').update(text).digest('hex');
  writeFileSync(join(out, name.replace(/ftp$/, 'json')), JSON.stringify({ sha256, tree }));
}
