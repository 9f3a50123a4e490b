import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { prettyDiagnostic } from '../../../src/language/diagnostics/render/index.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { commands } from '../../../src/tools/cli/commands/index.js';
import { leaveOut } from '../../helpers/leave-out.js';
import { Editor, type EditorOptions } from './editor.js';
import { unzip } from './vsix.js';

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

  const text = (name: string): string => files.get(posix.join('extension', name))?.toString('utf8') ?? '';
  // biome-ignore lint/suspicious/noExplicitAny: a manifest is what it is
  const manifest = (): any => JSON.parse(text('package.json'));

  it('holds what the manifest names, and nothing else of the repository', () => {
    const { main, icon, contributes } = manifest();
    const named = [main, icon, ...pathsIn(contributes)];
    expect(named).to.have.length.above(6);
    for (const path of named) expect([...files.keys()]).to.include(posix.join('extension', path));
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
    const assets = [...vsix.matchAll(/ Path="([^"]*)"/g)].map(([, path]) => path);
    expect(assets).to.include('extension/package.json');
    for (const path of assets) expect([...files.keys()]).to.include(path);
    const endings = [...files.keys()].map((path) => path.split('.').at(-1));
    const types = files.get('[Content_Types].xml')?.toString('utf8') ?? '';
    for (const ending of endings.filter((one) => one !== 'xml'))
      expect(types).to.contain(`Extension=".${ending}"`);
  });

  it('registers every command that the manifest shows, and starts a command that ftpc has', async () => {
    const { contributes } = manifest();
    const editor = new Editor();
    await editor.load(text('dist/extension.js')).activate({ subscriptions: [] });
    const declared = contributes.commands.map(({ command }: { command: string }) => command);
    expect(editor.commands).to.have.members(declared);
    const shown = Object.values(contributes.menus).flat() as { command: string }[];
    for (const { command } of shown) expect(declared).to.include(command);
    expect(editor.taskTypes).to.deep.equal(
      contributes.taskDefinitions.map(({ type }: { type: string }) => type),
    );
    expect(editor.started).to.deep.equal([['ftpc', 'language-server', '--stdio']]);
    expect(editor.errors.at(-1)).to.match(/^ftpc could not be started as `ftpc`: /);
    expect(commands).to.have.property('language-server');
  });

  it('starts the program of the settings, else that of a trusted folder, else that of the search path', async () => {
    const own = join(folder, 'node_modules', '.bin', process.platform === 'win32' ? 'ftpc.cmd' : 'ftpc');
    mkdirSync(dirname(own), { recursive: true });
    writeFileSync(own, '');
    const started = async (given: EditorOptions): Promise<string[] | undefined> => {
      const editor = new Editor(given);
      await editor.load(text('dist/extension.js')).activate({ subscriptions: [] });
      return editor.started[0];
    };
    const words = ['language-server', '--stdio'];
    expect(await started({ settings: { path: '/opt/ftpc' } })).to.deep.equal(['/opt/ftpc', ...words]);
    expect(await started({ settings: { path: '/opt/main.js' }, folder })).to.deep.equal([
      'node',
      '/opt/main.js',
      ...words,
    ]);
    expect(await started({ folder })).to.deep.equal([own, ...words]);
    expect(await started({ folder, isTrusted: false })).to.deep.equal(['ftpc', ...words]);
    expect(await started({ settings: { path: 'C:\\ftpc 2\\ftpc.cmd' } })).to.deep.equal([
      '"C:\\ftpc 2\\ftpc.cmd"',
      ...words,
    ]);
  });

  it('names languages, scopes and versions as what it names has them', () => {
    const { activationEvents, contributes, engines } = manifest();
    const ids = contributes.languages.map(({ id }: { id: string }) => id);
    const endings = contributes.languages.flatMap(({ extensions }: { extensions: string[] }) => extensions);
    expect(activationEvents).to.have.members([
      ...ids.map((id: string) => `onLanguage:${id}`),
      ...endings.map((ending: string) => `workspaceContains:**/*${ending}`),
    ]);
    for (const { language, path, scopeName, embeddedLanguages = {} } of contributes.grammars) {
      expect(JSON.parse(text(path)).scopeName).to.equal(scopeName);
      for (const id of [...(language === undefined ? [] : [language]), ...Object.values(embeddedLanguages)])
        expect(ids).to.include(id);
    }
    for (const { language } of contributes.snippets) expect(ids).to.include(language);
    for (const { configuration, icon } of contributes.languages) {
      expect(JSON.parse(text(configuration))).to.include.keys('comments', 'brackets', 'autoClosingPairs');
      for (const path of Object.values<string>(icon))
        expect(files.get(posix.join('extension', path))?.subarray(1, 4).toString()).to.equal('PNG');
    }
    const client = join(root, 'node_modules/vscode-languageclient/package.json');
    expect(engines.vscode).to.equal(JSON.parse(readFileSync(client, 'utf8')).engines.vscode);
  });

  it('starts the server of an open folder: its marks and its completion come back', async function () {
    if (process.platform === 'win32') leaveOut(this, 'it needs a POSIX shell');
    const work = mkdtempSync(join(tmpdir(), 'ftpc-editor-'));
    const own = join(work, 'node_modules', '.bin', 'ftpc');
    mkdirSync(dirname(own), { recursive: true });
    symlinkSync(fileURLToPath(new URL('../../../bin/main.js', import.meta.url)), own);
    const file = join(work, 'a.ftp');
    const lines = ['edition 2026', '', 'data rows {', '  ', '  limt = 3', '}', ''];
    const editor = new Editor({
      folder: work,
      settings: { plan: false },
      documents: { [file]: lines.join('\n') },
      starts: true,
    });
    const extension = editor.load(text('dist/extension.js'));
    await extension.activate({ subscriptions: [] });
    try {
      expect(editor.errors).to.deep.equal([]);
      expect(editor.started).to.deep.equal([[own, 'language-server', '--stdio']]);
      expect(await editor.complete(3, 2)).to.include.members(['source', 'split', 'limit']);
      expect(editor.completion?.triggers).to.include('.');
      const misspelt = await until(() =>
        editor.marked.get(file)?.find(({ message }) => message.includes('`limt`')),
      );
      expect(misspelt.range).to.deep.equal({
        start: { line: 4, character: 2 },
        end: { line: 4, character: 6 },
      });
      expect(misspelt.code?.value).to.equal('FTP0213');
    } finally {
      await extension.deactivate();
      rmSync(work, { recursive: true, force: true });
    }
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

/** Every relative path in a part of the manifest. */
const pathsIn = (part: unknown): readonly string[] =>
  typeof part === 'string'
    ? part.startsWith('./')
      ? [part]
      : []
    : Object.values(part ?? {}).flatMap(pathsIn);

async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await sleep(20);
  }
}
