// Joins the modules of each program in few files, in dist/bin: opening about 170 small ones took a third of the time of
// `ftpc check`. What is loaded lazily stays in files of its own. Packages are loaded from `node_modules`, except valibot, of
// which only a twentieth is used: it is joined too, with its licence next to it.
import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const bin = join(dist, 'bin');

/** The command, and what it starts as processes and threads: they find each other as neighbours in one folder. */
const PROGRAMS = [
  'src/tools/cli/main.js',
  'src/pipeline/run/child.js',
  'src/pipeline/store/seal-thread.js',
  'src/tools/cli/language-server/server-thread.js',
  'src/tools/cli/language-server/plan-child.js',
];

const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { metafile } = await build({
  entryPoints: PROGRAMS.map((program) => join(dist, program)),
  outdir: bin,
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: Object.keys(dependencies),
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
  metafile: true,
});
chmodSync(join(bin, 'main.js'), 0o755);
const licence = join(bin, 'valibot.LICENSE.md');
copyFileSync(join(dirname(fileURLToPath(import.meta.resolve('valibot'))), '..', 'LICENSE.md'), licence);

// Parts of earlier builds stay for a day: a training that began with them in another terminal may still load some. A
// package that is published (`--fresh`) has none.
const KEPT_MS = process.argv.includes('--fresh') ? 0 : 24 * 60 * 60 * 1000;
const current = new Set([licence, ...Object.keys(metafile.outputs).map((output) => resolve(output))]);
for (const name of readdirSync(bin)) {
  const file = join(bin, name);
  if (!current.has(file) && Date.now() - statSync(file).mtimeMs >= KEPT_MS) rmSync(file);
}
