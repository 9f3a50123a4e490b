/**
 * `npm run try-install [-- --npm VERSION] [FILE.tgz]`: packs ftpc, installs the file as a stranger would, and uses it.
 *
 * The home is empty, and so is npm's cache; nothing of the surroundings counts but where programs, proxies and certificates
 * are. Any warning of npm fails it, and so do more than 250 MB on the disk.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const MOST_BYTES = 250e6;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values, positionals } = parseArgs({ options: { npm: { type: 'string' } }, allowPositionals: true });
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ftpc-try-install-')));
const home = join(folder, 'home');
const project = join(folder, 'project');
mkdirSync(home);
mkdirSync(project);

const KEPT = /^(?:PATH|TERM|SystemRoot|ComSpec|PATHEXT|TEMP|TMP|.*_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+)$/i;
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => KEPT.test(name))),
  HOME: home,
  USERPROFILE: home,
};

function run(words, cwd = project) {
  console.log(`$ ${words.join(' ')}`);
  const began = performance.now();
  const [program, ...args] = words;
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    maxBuffer: 2 ** 28,
  });
  const printed = `${stdout}${stderr}`;
  const seconds = (performance.now() - began) / 1000;
  if (status !== 0 || /^npm (?:warn|error)/im.test(printed)) {
    console.log(printed);
    throw new Error(`${words.join(' ')}: ${status === 0 ? 'npm warns' : `exit status ${status}`}`);
  }
  console.log(`  ${seconds.toFixed(1)} s`);
  return stdout;
}

/** What it takes on the disk. */
const bytesIn = (path) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => {
      const { size, blocks } = lstatSync(join(entry.parentPath, entry.name));
      return sum + (process.platform === 'win32' ? size : 512 * blocks);
    }, 0);
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

function packed() {
  const [given] = positionals;
  if (given !== undefined) return resolve(given);
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  return join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.tgz')),
  );
}

/** What a user types in a folder in which ftpc is installed; the path of the pipeline. */
function use() {
  const ftpc = (...words) => run(['npx', 'ftpc', ...words], words[0] === 'init' ? project : started);
  const started = join(project, 'started');
  const { files } = JSON.parse(ftpc('init', 'started', '--json'));
  const pipeline = basename(files.find((path) => path.endsWith('.ftp')));
  ftpc('check', pipeline);
  if (existsSync(join(home, '.cache'))) throw new Error('`ftpc check` unpacked what it does not need');
  ftpc('plan', pipeline);
  ftpc('run', pipeline);
  const [release] = readdirSync(join(started, 'releases'));
  const answer = ftpc('generate', `releases/${release}/current`, 'What is the capital of Japan?');
  if (answer.trim() === '') throw new Error('`ftpc generate` printed nothing');
  ftpc('explain', 'FTP0203');
  ftpc('doctor');
  return join(started, pipeline);
}

try {
  const file = packed();
  console.log(`${basename(file)}: ${megabytes(lstatSync(file).size)}`);
  const npm = values.npm === undefined ? ['npm'] : ['npx', '--yes', `npm@${values.npm}`];
  if (values.npm !== undefined) run([...npm, '--version']);
  run([...npm, 'install', file]);
  const pipeline = use();
  const [modules, cache] = [join(project, 'node_modules'), join(home, '.cache', 'ftpc')].map(bytesIn);
  console.log(
    `on the disk: ${megabytes(modules)} in node_modules, ${megabytes(cache)} in the cache of the user`,
  );
  if (modules + cache > MOST_BYTES) throw new Error(`more than ${megabytes(MOST_BYTES)}`);

  const prefix = join(folder, 'global');
  run([...npm, 'install', '--global', '--prefix', prefix, file]);
  const bin = process.platform === 'win32' ? prefix : join(prefix, 'bin');
  run([join(bin, 'ftpc'), 'check', pipeline], folder);
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere);
  run([...npm, 'exec', '--yes', `--package=${file}`, '--', 'ftpc', '--version'], elsewhere);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
