import { expect } from 'chai';
import type { InlayHint } from 'vscode-languageserver-protocol';
import { MARK, offsetOf } from './client.js';
import { type Bench, FILES, PIPELINE, pipelineWith, startIn } from './workspace.js';

describe('language server: plans', () => {
  let bench: Bench;
  before(async () => {
    bench = await startIn(FILES, { options: {} });
  });
  after(async () => {
    expect(bench.client.complaints).to.deep.equal([]);
    expect(await bench.client.stop()).to.equal(0);
    bench.folder.remove();
  });

  const everything = { start: { line: 0, character: 0 }, end: { line: 999, character: 0 } };
  const hints = (uri: string): Promise<InlayHint[]> =>
    bench.client.request('textDocument/inlayHint', { textDocument: { uri }, range: everything });
  const planned = (before: number): Promise<true> =>
    bench.client.until(() => (bench.client.refreshes > before ? true : undefined), 'a plan');

  it('shows what the planner chose next to the text, once it is planned', async () => {
    const { client, folder } = bench;
    const doc = await client.open(folder.uri('plans.ftp'), PIPELINE);
    await planned(0);
    const found = await hints(doc.uri);
    const shown = found.map(({ position, label }) => {
      const line = doc.text.split('\n')[position.line] ?? '';
      return `${line.slice(0, position.character)}«${label}»`;
    });
    expect(
      shown.some((text) => /^train adapter using careful«[\d.]+ MiB»$/.test(text)),
      shown.join('\n'),
    ).to.equal(true);
    expect(
      shown.some((text) => /^ {2}batch = \{ global: 4«, micro: \d+, accumulation: \d+»$/.test(text)),
    ).to.equal(true);
    expect(shown.some((text) => /^ {2}dataset = dialogs\.train«up to 64 tokens»$/.test(text))).to.equal(true);
    expect(shown.some((text) => /^eval quality«[\d.]+ MiB»$/.test(text))).to.equal(true);

    const hover = await client.request('textDocument/hover', {
      textDocument: { uri: doc.uri },
      position: {
        line: doc.text.slice(0, doc.text.indexOf('train adapter')).split('\n').length - 1,
        character: 8,
      },
    });
    expect(hover.contents.value).to.match(
      /On this machine:\n\n- run[\s\S]*peak memory[\s\S]*trains [\d.]+ k of/,
    );

    // A plan of an older text is not shown.
    const end = { line: 0, character: 0 };
    const version = await client.change(doc.uri, { range: { start: end, end }, text: '// new\n' });
    expect(await hints(doc.uri)).to.deep.equal([]);
    await client.diagnostics(doc.uri, version);
    await planned(1);
    expect(await hints(doc.uri)).to.have.length(found.length);
  });

  it('names the method where the file leaves it open, and sets the mistakes of the plan', async () => {
    const { client, folder } = bench;
    const doc = await client.open(
      folder.uri('open.ftp'),
      pipelineWith('train adapter using careful', `train adap${MARK}ter`).replace(
        '{ careful, rank }',
        '{ rank }',
      ),
    );
    let found = await hints(doc.uri);
    while (found.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      found = await hints(doc.uri);
    }
    const head = found.find(({ position }) =>
      doc.text.slice(offsetOf(doc.text, position)).startsWith(' {\n  base = base'),
    );
    expect(String(head?.label)).to.match(/^lora · [\d.]+ MiB$/);
  });

  it('plans nothing that is broken, and stops when the document is closed', async () => {
    const { client, folder } = bench;
    const doc = await client.open(folder.uri('broken.ftp'), PIPELINE.replace('base = base', 'bse = base'));
    await client.diagnostics(doc.uri);
    expect(await hints(doc.uri)).to.deep.equal([]);
    const closing = await client.open(folder.uri('closing.ftp'), PIPELINE);
    await client.diagnostics(closing.uri);
    await client.close(closing.uri);
  });

  it('leaves the working directory as it was', () => {
    const left = ['.ftp'].filter((name) => bench.folder.has(name));
    expect(left).to.deep.equal([]);
  });
});
