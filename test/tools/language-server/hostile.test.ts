import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { type Client, positionOf } from './client.js';
import { type Bench, PIPELINE, startIn } from './workspace.js';

const METHODS = [
  'completion',
  'hover',
  'signatureHelp',
  'definition',
  'references',
  'documentHighlight',
  'prepareRename',
  'rename',
  'formatting',
  'codeAction',
  'documentSymbol',
  'foldingRange',
  'selectionRange',
  'semanticTokens/full',
  'semanticTokens/range',
  'documentLink',
  'inlayHint',
] as const;

const PLACES = [
  { line: 0, character: 0 },
  { line: 3, character: 7 },
  { line: 1e6, character: 1e6 },
] as const;

describe('language server: hostile editors', () => {
  let bench: Bench;
  let client: Client;
  before(async () => {
    bench = await startIn();
    client = bench.client;
  });
  after(async () => {
    expect(await client.stop()).to.equal(0);
    bench.folder.remove();
  });

  /** Every request at a place; what is refused is refused by an answer. */
  const askAll = (uri: string, position: { line: number; character: number }): Promise<unknown[]> =>
    Promise.all(
      METHODS.map((method) =>
        client
          .request(`textDocument/${method}`, {
            textDocument: { uri },
            position,
            positions: [position],
            range: { start: { line: 0, character: 0 }, end: position },
            context: { includeDeclaration: true, diagnostics: [] },
            newName: 'fresh',
            options: { tabSize: 2, insertSpaces: true },
          })
          .catch((error: Error) => `refused: ${error.message}`),
      ),
    );

  it('answers every request for texts of every kind', async () => {
    const texts = [
      '',
      '\n\n\n',
      '{{{{[[[((('.repeat(200),
      '}])}])'.repeat(50),
      'edition 2026\ntrain a using a { base = a.best }\n',
      '\u0000\u0001\ud800"',
      `edition 2026\n${'data '.repeat(3000)}`,
      `edition 2026\nparam a: Int = ${'('.repeat(500)}1`,
      'import { a, b from "std/data\nimport } from',
      PIPELINE.slice(0, 500),
      PIPELINE.split('').reverse().join(''),
    ];
    for (const [index, text] of texts.entries()) {
      const { uri } = await client.open(bench.folder.uri(`hostile-${index}.ftp`), text);
      for (const position of PLACES) await askAll(uri, position);
      await client.diagnostics(uri);
      await client.close(uri);
    }
    expect(client.complaints).to.deep.equal([]);
  });

  it('answers what is asked of documents that it does not have, or that are none of its own', async () => {
    for (const uri of [
      bench.folder.uri('nowhere.ftp'),
      bench.folder.uri('x.py'),
      'file://host/a.ftp',
      'nonsense',
      '',
    ])
      for (const answer of await askAll(uri, { line: 0, character: 0 }))
        if (typeof answer === 'string') expect(answer).not.to.match(/undefined|TypeError/);
    await client.close(bench.folder.uri('never-opened.ftp'));
    await client.change(bench.folder.uri('never-opened.ftp'), { text: 'x' });
    expect(client.complaints).to.deep.equal([]);
  });

  it('refuses requests that make no sense, and goes on', async () => {
    const nonsense: readonly [string, unknown][] = [
      ['textDocument/hover', {}],
      ['textDocument/hover', null],
      ['textDocument/completion', { textDocument: { uri: 5 }, position: 'here' }],
      ['textDocument/rename', { textDocument: {} }],
      ['textDocument/unheardOf', { a: 1 }],
      ['no/such/method', []],
      ['workspace/symbol', {}],
      ['textDocument/semanticTokens/range', { textDocument: { uri: bench.folder.uri('q.ftp') } }],
    ];
    for (const [method, params] of nonsense) await client.request(method, params).catch(() => undefined);
    for (const [method, params] of nonsense)
      await client.connection.sendNotification(method, params as object);
    await client.connection.sendNotification('textDocument/didOpen', { textDocument: {} });
    await client.connection.sendNotification('textDocument/didChange', { textDocument: { uri: 'x' } });
    const doc = await client.open(bench.folder.uri('alive.ftp'), PIPELINE);
    expect(
      (await client.diagnostics(doc.uri)).diagnostics.filter(({ severity }) => severity === 1),
    ).to.deep.equal([]);
    // What made no sense is in the log, and nowhere else.
    client.complaints.length = 0;
  });

  it('ends a flood of edits with the diagnostics of the last text', async () => {
    const doc = await client.open(bench.folder.uri('flood.ftp'), 'edition 2026\n');
    let last = 1;
    let text = doc.text;
    for (const letter of PIPELINE.slice('/// Answer questions about licences.\nedition 2026\n'.length)) {
      const end = positionOf(text, text.length);
      last = await client.change(doc.uri, { range: { start: end, end }, text: letter });
      text += letter;
      if (last % 100 === 0) void askAll(doc.uri, end);
    }
    const { diagnostics } = await client.diagnostics(doc.uri, last);
    expect(diagnostics.filter(({ severity }) => severity === 1)).to.deep.equal([]);
    const versions = client.published.filter(({ uri }) => uri === doc.uri).map(({ version }) => version ?? 0);
    expect(versions).to.deep.equal([...versions].sort((a, b) => a - b));
    expect(versions.length).to.be.lessThan(last);
    expect(client.complaints).to.deep.equal([]);
  });

  it('takes versions that go back, ranges that are nowhere, and a close while it works', async () => {
    const uri = bench.folder.uri('races.ftp');
    await client.open(uri, PIPELINE);
    for (const version of [7, 3, 0, -4])
      await client.connection.sendNotification('textDocument/didChange', {
        textDocument: { uri, version },
        contentChanges: [
          {
            range: { start: { line: 900, character: 3 }, end: { line: 2, character: 900 } },
            text: `// ${version}\n`,
          },
        ],
      });
    const asked = askAll(uri, { line: 5, character: 5 });
    await client.close(uri);
    await asked;
    const [first, second] = [client.open(uri, 'edition 2026\n'), client.close(uri)];
    await Promise.all([first, second]);
    await client.open(uri, 'edition 2026\n');
    expect((await client.diagnostics(uri)).diagnostics).to.deep.equal([]);
    expect(client.complaints).to.deep.equal([]);
  });

  it('lets a request be called off', async () => {
    const doc = await client.open(bench.folder.uri('cancel.ftp'), PIPELINE);
    await client.connection.sendNotification('$/cancelRequest', { id: 123456 });
    expect(await client.request('textDocument/documentSymbol', doc)).to.have.length.above(3);
  });

  it('answers each request of every file of the corpus', async () => {
    const { packageFolder, list } = nodeHost();
    const folder = join(packageFolder, 'test/corpus/invalid');
    const files = list(folder).filter((name) => name.endsWith('.ftp'));
    for (const name of files.filter((_, index) => index % 6 === 0)) {
      const text = readFileSync(join(folder, name), 'utf8');
      const { uri } = await client.open(bench.folder.uri(name), text);
      await askAll(uri, positionOf(text, Math.floor(text.length * 0.7)));
      await client.close(uri);
    }
    expect(client.complaints).to.deep.equal([]);
  });
});
