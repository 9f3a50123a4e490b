import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import vm from 'node:vm';
import { inflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { commands } from '../../src/cli/commands/index.js';
import { prettyDiagnostic } from '../../src/diagnostics/render/index.js';
import { nodeHost } from '../../src/source/node-host.js';

const root = nodeHost().packageFolder;

describe('extension for VS Code', () => {
  let folder: string;
  let files: ReadonlyMap<string, Buffer>;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-vsix-'));
    const vsix = join(folder, 'ftpc.vsix');
    execFileSync(process.execPath, [join(root, 'scripts/vscode.mjs'), vsix]);
    files = unzip(readFileSync(vsix));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const text = (name: string): string => files.get(`extension/${name}`)?.toString('utf8') ?? '';
  // biome-ignore lint/suspicious/noExplicitAny: a manifest is what it is
  const manifest = (): any => JSON.parse(text('package.json'));

  it('holds what the manifest names, and nothing else of the repository', () => {
    const { main, icon, contributes } = manifest();
    const named: string[] = [
      main,
      icon,
      contributes.languages[0].configuration,
      ...contributes.grammars.map(({ path }: { path: string }) => path),
      ...contributes.snippets.map(({ path }: { path: string }) => path),
    ];
    for (const path of named) expect([...files.keys()]).to.include(join('extension', path));
    expect([...files.keys()]).to.include.members([
      'extension.vsixmanifest',
      '[Content_Types].xml',
      'extension/README.md',
      'extension/LICENSE.txt',
    ]);
    expect([...files.keys()].filter((name) => /node_modules|\.ts$|\.map$/.test(name))).to.deep.equal([]);
  });

  it('has the grammar as the parser’s tables have it', () => {
    expect(text('grammar/ftp.tmLanguage.json')).to.equal(
      readFileSync(join(root, 'grammar/ftp.tmLanguage.json'), 'utf8'),
    );
  });

  it('is described to the editor as its manifest says', () => {
    const vsix = files.get('extension.vsixmanifest')?.toString('utf8') ?? '';
    const { name, version, publisher, engines } = manifest();
    expect(vsix).to.contain(`Id="${name}" Version="${version}" Publisher="${publisher}"`);
    expect(vsix).to.contain(`Value="${engines.vscode}"`);
    const endings = [...files.keys()].map((path) => path.split('.').at(-1));
    const types = files.get('[Content_Types].xml')?.toString('utf8') ?? '';
    for (const ending of endings.filter((one) => one !== 'xml'))
      expect(types).to.contain(`Extension=".${ending}"`);
  });

  it('registers every command that the manifest shows, and starts a command that ftpc has', async () => {
    const { contributes } = manifest();
    const world = fakeEditor();
    await world.load(text('dist/extension.js')).activate({ subscriptions: [] });
    expect(world.registered).to.have.members(
      contributes.commands.map(({ command }: { command: string }) => command),
    );
    expect(world.started[0]).to.deep.equal(['ftpc', 'language-server', '--stdio']);
    expect(commands).to.have.property('language-server');
  });

  it('starts the program of the settings, else that of a trusted folder, else that of the search path', async () => {
    const own = join(folder, 'node_modules', '.bin', process.platform === 'win32' ? 'ftpc.cmd' : 'ftpc');
    mkdirSync(dirname(own), { recursive: true });
    writeFileSync(own, '');
    const started = async (given: EditorOptions): Promise<string[] | undefined> => {
      const world = fakeEditor(given);
      await world.load(text('dist/extension.js')).activate({ subscriptions: [] });
      return world.started[0];
    };
    const words = ['language-server', '--stdio'];
    expect(await started({ path: '/opt/ftpc' })).to.deep.equal(['/opt/ftpc', ...words]);
    expect(await started({ path: '/opt/main.js', folder })).to.deep.equal(['node', '/opt/main.js', ...words]);
    expect(await started({ folder })).to.deep.equal([own, ...words]);
    expect(await started({ folder, isTrusted: false })).to.deep.equal(['ftpc', ...words]);
    expect(await started({ path: 'C:\\ftpc 2\\ftpc.cmd' })).to.deep.equal([
      '"C:\\ftpc 2\\ftpc.cmd"',
      ...words,
    ]);
  });

  it('finds the places of diagnostics in what `ftpc check` prints', () => {
    const [matcher] = manifest().contributes.problemMatchers;
    const [first, second] = matcher.pattern;
    const source = { file: 'a.ftp', text: 'edition 2026\ndata x {\n', lineStarts: [0, 13, 22] };
    const at = { file: 'a.ftp', start: 18, end: 19 };
    const printed = prettyDiagnostic(
      { code: 'FTP0303', severity: 'error', message: 'a number is needed', at },
      new Map([['a.ftp', source]]),
    ).split('\n');
    expect(new RegExp(first.regexp).exec(printed[0] ?? '')?.slice(1)).to.deep.equal([
      'error',
      'FTP0303',
      'a number is needed',
    ]);
    expect(new RegExp(second.regexp).exec(printed[1] ?? '')?.slice(1)).to.deep.equal(['a.ftp', '2', '6']);
  });

  it('has snippets and settings that are whole', () => {
    const snippets = Object.values(JSON.parse(text('snippets/ftp.json'))) as {
      body: string[];
      prefix: string;
    }[];
    for (const { body, prefix } of snippets) {
      expect(prefix).to.match(/^[a-z]+$/);
      expect(count(body.join('\n'), '{')).to.equal(count(body.join('\n'), '}'));
    }
    const { properties } = manifest().contributes.configuration;
    expect(Object.keys(properties)).to.include.members([
      'ftpc.path',
      'ftpc.plan',
      'ftpc.machine',
      'ftpc.params',
    ]);
    expect(existsSync(join(root, 'docs/editors.md'))).to.equal(true);
  });
});

const count = (all: string, part: string): number => all.split(part).length - 1;

/** Enough of a zip to read one: its directory at the end, then each file. */
function unzip(zip: Buffer): ReadonlyMap<string, Buffer> {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  const files = new Map<string, Buffer>();
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [method, size] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20)];
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    const name = zip.toString('utf8', at + 46, at + 46 + (nameLength ?? 0));
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const bytes = zip.subarray(start, start + size);
    files.set(name, method === 8 ? inflateRawSync(bytes) : bytes);
    at += 46 + (nameLength ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return files;
}

interface EditorOptions {
  /** `ftpc.path` of the settings. */
  readonly path?: string;
  /** The folder that is open. */
  readonly folder?: string;
  readonly isTrusted?: boolean;
}

/** Runs the bundled extension against stand-ins for the editor; a server is noted instead of started. */
function fakeEditor({ path, folder, isTrusted = true }: EditorOptions = {}) {
  const registered: string[] = [];
  const started: string[][] = [];
  const nothing = () => ({ dispose() {} });
  const anything: object = new Proxy(class {}, {
    get: (target, key) => (key === 'prototype' ? Reflect.get(target, key) : anything),
    apply: () => anything,
  });
  const known: Readonly<Record<string, unknown>> = {
    commands: {
      registerCommand: (name: string) => {
        registered.push(name);
        return nothing();
      },
      executeCommand: async () => undefined,
    },
    workspace: new Proxy(
      {
        isTrusted,
        workspaceFolders: folder === undefined ? undefined : [{ uri: { fsPath: folder, scheme: 'file' } }],
        getConfiguration: () => ({ get: (name: string) => (name === 'path' ? path : undefined) }),
        textDocuments: [],
      },
      { get: (target, key) => (key in target ? Reflect.get(target, key) : nothing) },
    ),
    tasks: { registerTaskProvider: nothing },
    window: new Proxy(
      {
        showErrorMessage: async (message: string) => {
          started.push((/as `([^`]*)`/.exec(message)?.[1] ?? '').split(' '));
          return undefined;
        },
      },
      { get: (target, key) => (key in target ? Reflect.get(target, key) : nothing) },
    ),
    EventEmitter: class {
      event = nothing;
      fire() {}
      dispose() {}
    },
    version: '1.99.0',
  };
  const vscode = new Proxy({}, { get: (_, key) => known[String(key)] ?? anything });
  const require = createRequire(import.meta.url);
  return {
    registered,
    started,
    load: (code: string) => {
      const module: { exports: { activate?: unknown } } = { exports: {} };
      const load = (name: string): unknown => {
        if (name === 'vscode') return vscode;
        const real = require(name);
        if (!/child_process/.test(name)) return real;
        const spawn = (command: string, args: readonly string[]) => {
          started.push([command, ...args]);
          throw new Error('not here');
        };
        return { ...real, spawn };
      };
      vm.runInThisContext(`(function (module, exports, require) {${code}\n})`)(module, module.exports, load);
      return module.exports as { activate: (context: object) => Promise<void> };
    },
  };
}
