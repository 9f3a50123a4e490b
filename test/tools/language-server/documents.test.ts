import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Diagnostic } from 'vscode-languageserver-protocol';
import { Client, cursor, folderWith, MARK, positionOf, textAt } from './client.js';
import { type Bench, FILES, PIPELINE, pipelineWith, startIn, uriOf } from './workspace.js';

const codes = (diagnostics: readonly Diagnostic[]): unknown[] => diagnostics.map(({ code }) => code);
const errors = (diagnostics: readonly Diagnostic[]): unknown[] =>
  codes(diagnostics.filter(({ severity }) => severity === 1));

describe('language server: documents', () => {
  let bench: Bench;
  let count = 0;
  before(async () => {
    bench = await startIn();
  });
  after(async () => {
    expect(bench.client.complaints).to.deep.equal([]);
    expect(await bench.client.stop()).to.equal(0);
    bench.folder.remove();
  });

  const name = (): string => bench.folder.uri(`documents-${++count}.ftp`);

  it('says what it can, and asks for the files that change', async () => {
    const { capabilities, serverInfo } = bench.client.initialized;
    expect(serverInfo?.name).to.equal('ftpc');
    expect(capabilities.textDocumentSync).to.include({ openClose: true, change: 2 });
    expect(capabilities).to.include({ hoverProvider: true, inlayHintProvider: true });
    const asked = (): true | undefined =>
      bench.client.registered.includes('workspace/didChangeWatchedFiles') || undefined;
    await bench.client.until(asked, 'the registration');
  });

  it('gives diagnostics their code, page, version and related places', async () => {
    const uri = name();
    await bench.client.open(uri, PIPELINE.replace('data clauses', 'data dialogs'));
    const { diagnostics, version } = await bench.client.diagnostics(uri);
    expect(version).to.equal(1);
    const twice = diagnostics.find(({ code }) => code === 'FTP0203');
    expect(twice).to.include({ source: 'ftpc', severity: 1 });
    expect(twice?.codeDescription?.href).to.match(/docs\/errors\/FTP0203\.md$/);
    expect(twice?.relatedInformation?.[0]?.location.uri).to.equal(uri);
  });

  it('sends lints, and marks what is not used', async () => {
    const uri = name();
    await bench.client.open(
      uri,
      PIPELINE.replace('{ jsonl }', '{ jsonl, text }').replace(', text }', ', csv }'),
    );
    const unused = await bench.client.open(name(), `edition 2026\nimport { careful } from "./shared.ftp"\n`);
    const found = await bench.client.diagnostics(unused.uri);
    expect(found.diagnostics.find(({ code }) => code === 'FTP0209')?.tags).to.deep.equal([1]);
    const { diagnostics } = await bench.client.diagnostics((await bench.client.open(name(), PIPELINE)).uri);
    expect(codes(diagnostics).some((code) => /^FTP10/.test(String(code)))).to.equal(true);
  });

  it('follows edits of parts of a text, and forgets what was fixed', async () => {
    const uri = name();
    const doc = await bench.client.open(uri, pipelineWith('from = clauses', `from = clauzes`));
    expect(errors((await bench.client.diagnostics(uri)).diagnostics)).to.deep.equal(['FTP0201']);
    const at = doc.text.indexOf('clauzes');
    const range = { start: positionOf(doc.text, at + 4), end: positionOf(doc.text, at + 5) };
    const version = await bench.client.change(uri, { range, text: 's' });
    expect(errors((await bench.client.diagnostics(uri, version)).diagnostics)).to.deep.equal([]);
  });

  it('clears the diagnostics of a closed document, and reads the disk again', async () => {
    bench.folder.write('closed.ftp', PIPELINE);
    const uri = bench.folder.uri('closed.ftp');
    await bench.client.open(uri, 'edition 2026\nnonsense\n');
    expect(errors((await bench.client.diagnostics(uri)).diagnostics)).not.to.deep.equal([]);
    await bench.client.close(uri);
    await bench.client.until(
      () => bench.client.published.findLast((one) => one.uri === uri && one.diagnostics.length === 0),
      'an empty list',
    );
  });

  it('shows mistakes of a module in the module, whichever pipelines import it', async () => {
    const shared = bench.folder.uri('broken.ftp');
    const text = `edition 2026\nimport { size } from "./broken.ftp"\nparam more: Int = size\n`;
    const first = await bench.client.open(name(), text);
    const second = await bench.client.open(name(), text);
    await bench.client.open(shared, 'edition 2026\nparam size: Int = "many"\n');
    const found = await bench.client.diagnostics(shared);
    expect(codes(found.diagnostics)).to.deep.equal(['FTP0301']);
    // The unsaved text of the module counts for both.
    const version = await bench.client.change(shared, { text: 'edition 2026\nparam size: Int = 3\n' });
    expect((await bench.client.diagnostics(shared, version)).diagnostics).to.deep.equal([]);
    for (const { uri } of [first, second])
      expect(errors((await bench.client.diagnostics(uri)).diagnostics), uri).to.deep.equal([]);
    await bench.client.change(shared, { text: 'edition 2026\n' });
    for (const { uri } of [first, second])
      await bench.client.until(
        () =>
          bench.client.published.findLast(
            (one) => one.uri === uri && errors(one.diagnostics)[0] === 'FTP0207',
          ),
        'the name that is gone',
      );
    await bench.client.close(shared);
  });

  it('sees files that come and go on the disk', async () => {
    const uri = name();
    await bench.client.open(uri, pipelineWith('prompts/legal.md', 'prompts/later.md'));
    expect(errors((await bench.client.diagnostics(uri)).diagnostics)).to.deep.equal(['FTP0315']);
    bench.folder.write('prompts/later.md', 'You know more.\n');
    const changes = [{ uri: bench.folder.uri('prompts/later.md'), type: 1 }];
    await bench.client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes });
    const repaired = (): unknown =>
      bench.client.published.findLast((one) => one.uri === uri && errors(one.diagnostics).length === 0);
    await bench.client.until(repaired, 'the file to be seen');
    rmSync(join(bench.folder.path, 'prompts/later.md'));
    await bench.client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes });
    await bench.client.until(
      () =>
        errors(bench.client.published.findLast((one) => one.uri === uri)?.diagnostics ?? []).length > 0
          ? true
          : undefined,
      'the file to be missed',
    );
  });

  it('takes columns as UTF-16 does', async () => {
    const doc = await bench.client.open(
      name(),
      pipelineWith('dedupe = [exact, near(0.9)]', `dedupe = [exact] // 🦜🦜 ää\n  split2 = "🦜" // x`),
    );
    const { diagnostics } = await bench.client.diagnostics(doc.uri);
    const found = diagnostics.find(({ code }) => code === 'FTP0213');
    expect(textAt(doc.text, found?.range ?? NOWHERE)).to.equal('split2');
    const behind = await bench.client.open(
      name(),
      `edition 2026\nsecret a = env("🦜🦜")\nparam b: Bo${MARK}ol = true\n`,
    );
    const hover = await bench.client.request('textDocument/hover', behind);
    expect(textAt(behind.text, hover.range)).to.equal('Bool');
    const same = await bench.client.open(
      name(),
      `edition 2026\nparam a: String = "🦜🦜"  param b: Bo${MARK}ol = true\n`,
    );
    const { range } = await bench.client.request('textDocument/hover', same);
    expect(textAt(same.text, range)).to.equal('Bool');
  });

  it('takes the line ends of Windows, and a byte-order mark', async () => {
    const windows = (text: string): string => text.replaceAll('\n', '\r\n');
    const doc = await bench.client.open(
      name(),
      windows(pipelineWith('max_length = 64tok', `max_length${MARK} = 64tkk`)),
    );
    const { diagnostics } = await bench.client.diagnostics(doc.uri);
    const found = diagnostics.find(({ severity }) => severity === 1);
    expect(textAt(doc.text, found?.range ?? NOWHERE)).to.equal('64tkk');
    const { range } = await bench.client.request('textDocument/hover', doc);
    expect(textAt(doc.text, range)).to.equal('max_length');
    const marked = await bench.client.open(
      name(),
      `\ufeff${pipelineWith('base: Model', `base: Mo${MARK}del`)}`,
    );
    expect(errors((await bench.client.diagnostics(marked.uri)).diagnostics)).to.deep.equal([]);
    expect(textAt(marked.text, (await bench.client.request('textDocument/hover', marked)).range)).to.equal(
      'Model',
    );
    // A module on the disk has one: editors do not count it.
    bench.folder.write('marked.ftp', '\ufeffedition 2026\nparam size: Int = 3\n');
    const user = await bench.client.open(
      name(),
      `edition 2026\nimport { si${MARK}ze } from "./marked.ftp"\n`,
    );
    const place = await bench.client.request('textDocument/definition', user);
    expect(place.range.start).to.deep.equal({ line: 1, character: 6 });
  });

  it('serves documents that were never saved, and files outside of every folder', async () => {
    const untitled = await bench.client.open(
      'untitled:Untitled-1',
      pipelineWith('from = clauses', `from = cla${MARK}uses`),
    );
    expect(errors((await bench.client.diagnostics(untitled.uri)).diagnostics)).to.deep.equal([]);
    expect((await bench.client.request('textDocument/definition', untitled)).uri).to.equal(untitled.uri);
    const outside = folderWith({ 'rows.jsonl': '{}\n' });
    const doc = await bench.client.open(
      outside.uri('a.ftp'),
      `edition 2026\nimport { jsonl } from "std/data"\ndata rows {\n  source = jsonl("${MARK}rows.jsonl")\n}\n`,
    );
    expect(errors((await bench.client.diagnostics(doc.uri)).diagnostics)).to.deep.equal([]);
    expect((await bench.client.request('textDocument/definition', doc)).uri).to.equal(
      outside.uri('rows.jsonl'),
    );
    const remote = await bench.client.open('vscode-remote://host/x.ftp', 'edition 2026\nnonsense here\n');
    expect((await bench.client.diagnostics(remote.uri)).diagnostics).to.have.length(1);
    for (const { uri } of [untitled, doc, remote]) await bench.client.close(uri);
    outside.remove();
  });

  it('gives a parameter without a default no error while it is written', async () => {
    const doc = await bench.client.open(name(), 'edition 2026\nparam size: Int\n');
    const { diagnostics } = await bench.client.diagnostics(doc.uri);
    expect(diagnostics.find(({ code }) => code === 'FTP0502')?.severity).to.equal(3);
  });

  it('serves files of tests', async () => {
    bench.folder.write('legal.ftp', PIPELINE);
    const changes = [{ uri: bench.folder.uri('legal.ftp'), type: 1 }];
    await bench.client.connection.sendNotification('workspace/didChangeWatchedFiles', { changes });
    const uri = bench.folder.uri('legal.test.ftp');
    const test = (marked: string): string => `edition 2026\n\ntest "fits" {\n${marked}}\n`;
    const doc = await bench.client.open(
      uri,
      test('  with = { smoke: true }\n  expect plan.peak_memory < 24GiB\n'),
    );
    expect(errors((await bench.client.diagnostics(doc.uri)).diagnostics)).to.deep.equal([]);
    const outline = await bench.client.request('textDocument/documentSymbol', doc);
    expect(outline[0]).to.include({ name: 'fits', detail: 'test' });
    const wrong = await bench.client.change(uri, { text: test('  expect plan.peek_memory < 24GiB\n') });
    expect(errors((await bench.client.diagnostics(uri, wrong)).diagnostics)).to.have.length(1);
    const labelsAt = async (marked: string): Promise<string[]> => {
      const { text, position } = cursor(test(marked));
      await bench.client.change(uri, { text });
      const items = await bench.client.request('textDocument/completion', { ...doc, position });
      return items.map(({ label }: { label: string }) => label);
    };
    expect(await labelsAt(`  run = true\n  ${MARK}\n`))
      .to.include.members(['with', 'machine', 'memory', 'expect'])
      .and.not.include('run');
    expect(await labelsAt(`  with = { ${MARK} }\n`)).to.have.members(['base', 'smoke']);
    expect(await labelsAt(`  machine = ${MARK}\n`)).to.include('rtx_3090');
    expect(await labelsAt(`  expect ${MARK}\n`)).to.include.members(['plan', 'program', 'run']);
    expect(await labelsAt(`  expect plan.${MARK}\n`)).to.include.members(['peak_memory', 'adapter']);
    expect(await labelsAt(`  expect plan.adapter.chosen.me${MARK}\n`)).to.include('method');
    expect(await labelsAt(`  expect run.quality.${MARK}\n`)).to.include('perplexity');
    expect(await labelsAt(`  expect plan.peak_memory < 8${MARK}\n`))
      .to.include('8GiB')
      .and.not.include('8h');
    expect(await labelsAt(`  memory = 8${MARK}\n`))
      .to.include('8GiB')
      .and.not.include('8h');
    expect(await labelsAt(`  with = { smoke: ${MARK} }\n`)).to.include.members(['true', 'false']);
    expect(await labelsAt(`  pipeline = "${MARK}"\n`)).to.include('legal.ftp');
    expect(await labelsAt(`  expect plan.stages.${MARK}\n`))
      .to.include('adapter')
      .and.not.include('disk');
    expect(await labelsAt(`  expect plan.adapter.chosen.method == ${MARK}\n`)).to.have.members([
      'lora',
      'qlora',
      'full',
      'head',
    ]);
    expect(await labelsAt(`  expect program.adapter.lora.${MARK}\n`)).to.include('rank');
    await bench.client.close(uri);
  });
});

describe('language server: workspaces', () => {
  it('compiles each pipeline in its folder of the workspace', async () => {
    const [one, two] = [folderWith(FILES), folderWith({ ...FILES, 'prompts/legal.md': '' })];
    rmSync(join(two.path, 'prompts'), { recursive: true });
    const client = await Client.start({ folders: [one.path, two.path] });
    for (const folder of [one, two]) await client.open(folder.uri('a.ftp'), PIPELINE);
    expect(errors((await client.diagnostics(one.uri('a.ftp'))).diagnostics)).to.deep.equal([]);
    expect(errors((await client.diagnostics(two.uri('a.ftp'))).diagnostics)).to.deep.equal(['FTP0315']);
    await client.connection.sendNotification('workspace/didChangeWorkspaceFolders', {
      event: { added: [], removed: client.folders.splice(1) },
    });
    expect(await client.request('workspace/symbol', { query: 'careful' })).to.have.length(1);
    expect(client.complaints).to.deep.equal([]);
    await client.stop();
    for (const folder of [one, two]) folder.remove();
  });

  it('works without a folder, and with values of parameters from the settings', async () => {
    const folder = folderWith({});
    const client = await Client.start({ options: { plan: false, params: { size: '4', other: 'x' } } });
    const doc = await client.open(uriOf(join(folder.path, 'a.ftp')), 'edition 2026\nparam size: Int\n');
    expect((await client.diagnostics(doc.uri)).diagnostics).to.deep.equal([]);
    await client.connection.sendNotification('workspace/didChangeConfiguration', {
      settings: { ftpc: { params: { size: 'many' } } },
    });
    await client.until(
      () => client.published.findLast((one) => one.uri === doc.uri && one.diagnostics.length > 0),
      'the wrong value',
    );
    expect(client.complaints).to.deep.equal([]);
    await client.stop();
    folder.remove();
  });
});

const NOWHERE = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
