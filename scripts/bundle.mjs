// Joins the modules of each program in few files, in dist/bin: opening about 170 small ones took a third of the time of
// `ftpc check`. What is loaded lazily stays in files of its own. Packages are loaded from `node_modules`, but for those that
// are no dependencies of the published package: they are joined too, with their licences next to them. These are valibot,
// of which only a twentieth is used, yargs, whose parser every command needs and whose files take longer to open than to run, yaml,
// which only `ftpc import` loads, fzstd and xxhash-wasm, which only rows packed with zstd load, and json-ext, which writes large tokenizers.
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { packs } from './packs.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const bin = join(dist, 'bin');

/** The command, and what it starts as processes and threads: they find each other as neighbours in one folder. */
const PROGRAMS = [
  'src/tools/cli/start.js',
  'src/pipeline/run/stage-child.js',
  'src/pipeline/run/threads/encode-thread.js',
  'src/pipeline/run/threads/quantise-thread.js',
  'src/pipeline/run/threads/dequantise-thread.js',
  'src/pipeline/serve/model-child.js',
  'src/pipeline/store/seal-thread.js',
  'src/tools/cli/language-server/server-thread.js',
  'src/tools/cli/language-server/plan-child.js',
  'src/tools/track/live-child.js',
];

/** Each loads the program next to it, and is one file, so that it can say why that cannot be loaded. */
const LOADERS = { 'src/tools/cli/main.js': './start.js', 'src/pipeline/run/child.js': './stage-child.js' };

const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const SHARED = {
  outdir: bin,
  entryNames: '[name]',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
  metafile: true,
};
const JOINED = {
  ...SHARED,
  chunkNames: '[name]-[hash]',
  splitting: true,
  external: Object.keys(dependencies),
  // The entry of `yaml` for Node is CommonJS, which asks for `process` as a module; that for browsers is the same as modules.
  alias: { yaml: join(root, 'node_modules', 'yaml', 'browser', 'index.js') },
};
const paths = PROGRAMS.map((program) => join(dist, program));
const { inputs } = (await build({ ...JOINED, entryPoints: paths, write: false, sourcemap: false })).metafile;
const { metafile } = await build({
  ...JOINED,
  entryPoints: paths.map((path) => ({ in: `program:${path}`, out: basename(path, '.js') })),
  plugins: [packs(root, inputs)],
});
const loaders = await build({
  ...SHARED,
  entryPoints: Object.keys(LOADERS).map((loader) => join(dist, loader)),
  external: Object.values(LOADERS),
});
chmodSync(join(bin, 'main.js'), 0o755);

const joined = Object.keys(metafile.inputs).flatMap(
  (file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
);
const licences = join(bin, 'LICENSES.md');
writeFileSync(licences, [...new Set(joined)].sort().map(licenceOf).join('\n'));

function licenceOf(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${folder} has no licence`);
  return `# ${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}

// Parts of earlier builds stay for a day: a training that began with them in another terminal may still load some. A
// package that is published (`--fresh`) has none.
const KEPT_MS = process.argv.includes('--fresh') ? 0 : 24 * 60 * 60 * 1000;
const current = new Set([
  licences,
  ...[metafile, loaders.metafile]
    .flatMap(({ outputs }) => Object.keys(outputs))
    .map((output) => resolve(output)),
]);
for (const name of readdirSync(bin)) {
  const file = join(bin, name);
  if (!current.has(file) && Date.now() - statSync(file).mtimeMs >= KEPT_MS) rmSync(file);
}
