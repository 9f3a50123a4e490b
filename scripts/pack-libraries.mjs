// Writes the libraries of native code into dist/libraries, one archive for each system: `prepack` runs it, and
// `src/compute/libraries/` unpacks the one for its machine. Their packages hold all systems, and onnxruntime-node's would
// fetch more from elsewhere when it is installed, so that the published package depends on neither.
//
// An archive is compressed by brotli. It begins with a line of JSON, `{ files: { PATH: { bytes, sha256 } } }`, and the bytes
// of the files follow in that order. `archives.json` has the digests of the archives.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const target = join(root, 'dist', 'libraries');

/** Above it, a third more time for each percent. */
const QUALITY = 5;
const WINDOW_BITS = 24;

const files = (folder, keep) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => keep(relative(folder, path).replaceAll('\\', '/')));
const isCode = (path) => /(?:\.js|^package\.json|\/package\.json)$/.test(path);

/**
 * Of Windows' own files, onnxruntime.dll loads DirectML.dll when its provider for GPUs is asked for, and DirectML the other
 * two; of the two copies for macOS, the binding names the first. `test/structure/install.test.ts` reads it in the binaries.
 */
const NOT_LOADED = /^(?:DirectML|dxcompiler|dxil)\.dll$|^libonnxruntime\.\d+\.\d+.*\.dylib$/;

/** System → the files that Node loads there. */
function onnxruntime() {
  const folder = join(modules, 'onnxruntime-node');
  const common = join(modules, 'onnxruntime-common');
  const code = [
    ...files(folder, (path) => path === 'package.json' || (path.startsWith('dist/') && isCode(path))),
    ...files(common, (path) => path === 'package.json' || (path.startsWith('dist/cjs/') && isCode(path))),
  ];
  const binaries = join(folder, 'bin', 'napi-v6');
  return Object.fromEntries(
    readdirSync(binaries).flatMap((platform) =>
      readdirSync(join(binaries, platform)).map((arch) => [
        `${platform}-${arch}`,
        [...code, ...files(join(binaries, platform, arch), (path) => !NOT_LOADED.test(path))],
      ]),
    ),
  );
}

/** What the napi names of a system's file say of the C library, in the names of `src/compute/libraries/platform.ts`. */
const SUFFIXES = { '': '', '-gnu': '', '-msvc': '', '-musl': '-musl' };
const SYSTEMS = /^tokenizers\.((?:linux|darwin|win32)-(?:x64|arm64))(-gnu|-musl|-msvc|)\.node$/;

function tokenizers() {
  const folder = join(modules, 'tokenizers');
  const code = ['package.json', 'index.js', 'LICENSE'].map((name) => join(folder, name));
  return Object.fromEntries(
    readdirSync(folder).flatMap((name) => {
      const [, system, suffix] = SYSTEMS.exec(name) ?? [];
      return system === undefined ? [] : [[`${system}${SUFFIXES[suffix]}`, [...code, join(folder, name)]]];
    }),
  );
}

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

function contentOf(paths) {
  const parts = paths.map((path) => readFileSync(path));
  const listed = paths.map((path, at) => [
    relative(root, path).replaceAll('\\', '/'),
    { bytes: parts[at].length, sha256: digest(parts[at]) },
  ]);
  return Buffer.concat([Buffer.from(`${JSON.stringify({ files: Object.fromEntries(listed) })}\n`), ...parts]);
}

const compress = (content) =>
  promisify(brotliCompress)(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });

/** What was packed earlier in this way is as good where the content is the same. */
const by = `brotli ${process.versions.brotli}, ${QUALITY}, ${WINDOW_BITS}`;
function readEarlier() {
  try {
    const read = JSON.parse(readFileSync(join(target, LIST), 'utf8'));
    return read.by === by ? read.libraries : {};
  } catch {
    return {};
  }
}

const LIST = 'archives.json';
const earlier = readEarlier();
mkdirSync(target, { recursive: true });
const libraries = {};
const tasks = [];
for (const [name, systems] of Object.entries({
  'onnxruntime-node': onnxruntime(),
  tokenizers: tokenizers(),
})) {
  const { version } = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'));
  // in an order that does not depend on which worker ends first
  const archives = Object.fromEntries(
    Object.keys(systems)
      .sort()
      .map((system) => [system, undefined]),
  );
  libraries[name] = { version, archives };
  for (const [system, paths] of Object.entries(systems))
    tasks.push(async () => {
      archives[system] = await pack(`${name}-${system}.br`, paths, earlier[name]?.archives[system]);
    });
}

async function pack(file, paths, before) {
  const bytes = contentOf(paths);
  const content = digest(bytes);
  const path = join(target, file);
  if (before?.content === content && existsSync(path) && digest(readFileSync(path)) === before.sha256)
    return before;
  const packed = await compress(bytes);
  writeFileSync(path, packed);
  console.log(`${file}: ${(packed.length / 1e6).toFixed(1)} MB for ${(bytes.length / 1e6).toFixed(1)} MB`);
  return { file, sha256: digest(packed), content };
}

const worker = async () => {
  for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) await task();
};
await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));

writeFileSync(join(target, LIST), `${JSON.stringify({ version: 1, by, libraries }, null, 2)}\n`);
const require = createRequire(import.meta.url);
/** Neither package of ONNX Runtime has the text of its licence, which is MIT. */
const MIT = require('spdx-license-list/licenses/MIT')
  .licenseText.replace('<year> ', '')
  .replace('<copyright holders>', 'Microsoft Corporation');
const licenceOf = (name) => {
  const { version, license } = require(join(modules, name, 'package.json'));
  const file = join(modules, name, 'LICENSE');
  if (!existsSync(file) && license !== 'MIT') throw new Error(`${name} has no licence`);
  return `# ${name} ${version}\n\n${(existsSync(file) ? readFileSync(file, 'utf8') : MIT).trim()}\n`;
};
const LICENCES = 'LICENSES.md';
writeFileSync(
  join(target, LICENCES),
  ['onnxruntime-common', 'onnxruntime-node', 'tokenizers'].map(licenceOf).join('\n'),
);

const listed = Object.values(libraries).flatMap(({ archives }) =>
  Object.values(archives).map(({ file }) => file),
);
for (const name of readdirSync(target))
  if (name !== LIST && name !== LICENCES && !listed.includes(name)) rmSync(join(target, name));
