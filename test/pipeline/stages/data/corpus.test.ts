import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { checkSpecialTokens } from '../../../../src/compute/models/chat-template/index.js';
import { openModel } from '../../../../src/compute/models/load.js';
import type { ChatMessage } from '../../../../src/compute/models/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';

const host = nodeHost();
const data = join(host.packageFolder, 'pipelines/data');
const starter = join(host.packageFolder, 'stdlib/models/starter');

interface LegalRow {
  readonly instruction: string;
  readonly input?: string;
  readonly output: string;
  readonly licence: string;
  readonly group: string;
  readonly kind: string;
}

interface Pair {
  readonly chosen: string;
  readonly rejected: string;
  readonly kind: string;
}

const script = async <T>(name: string): Promise<T> =>
  (await import(pathToFileURL(join(host.packageFolder, 'scripts/data', name)).href)) as T;

const legal = (): readonly LegalRow[] =>
  readdirSync(join(data, 'legal')).flatMap((name) =>
    readFileSync(join(data, 'legal', name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as LegalRow),
  );

describe('the data that ships with the pipelines', () => {
  it('is what the scripts make of the packages @long', async () => {
    const { legalRows } = await script<{ legalRows: () => readonly LegalRow[] }>('legal.mjs');
    const { generalRows } = await script<{ generalRows: () => readonly object[] }>('general.mjs');
    const byKind = new Map<string, string>();
    for (const row of legalRows())
      byKind.set(row.kind, `${byKind.get(row.kind) ?? ''}${JSON.stringify(row)}\n`);
    for (const [kind, text] of byKind)
      expect(readFileSync(join(data, 'legal', `${kind}.jsonl`), 'utf8') === text, kind).to.equal(true);
    expect(readdirSync(join(data, 'legal'))).to.have.length(byKind.size);
    const general = generalRows().map((row) => `${JSON.stringify(row)}\n`);
    expect(readFileSync(join(data, 'general.jsonl'), 'utf8') === general.join('')).to.equal(true);
  });

  it('has the pairs that the script makes of the answers, each verb as often right as wrong', async () => {
    const { preferenceRows } = await script<{ preferenceRows: () => readonly Pair[] }>('preferences.mjs');
    const pairs = preferenceRows();
    const written = readFileSync(join(data, 'preferences/modal.jsonl'), 'utf8');
    expect(pairs.map((row) => `${JSON.stringify(row)}\n`).join('') === written).to.equal(true);
    const content = pairs.filter(({ kind }) => kind === 'content');
    expect(content).to.have.length(pairs.length / 2);
    const counts = (texts: readonly string[]) =>
      Object.fromEntries(
        [...new Set(texts)].sort().map((text) => [text, texts.filter((one) => one === text).length]),
      );
    expect(counts(content.map(({ chosen }) => chosen))).to.deep.equal(
      counts(content.map(({ rejected }) => rejected)),
    );
    for (const { chosen, rejected } of pairs) expect(chosen).not.to.equal(rejected);
  });

  it('asks no question with two answers, and no kind has a constant one', () => {
    const rows = legal();
    expect(rows.length).to.be.within(4000, 5000);
    const answers = new Map<string, string>();
    const byKind = new Map<string, string[]>();
    for (const { instruction, input, output, kind } of rows) {
      const question = JSON.stringify([instruction, input]);
      expect(answers.get(question) ?? output).to.equal(output);
      answers.set(question, output);
      byKind.set(kind, [...(byKind.get(kind) ?? []), output]);
    }
    expect(byKind.size).to.be.at.least(6);
    for (const [kind, outputs] of byKind) {
      const count = new Map<string, number>();
      for (const output of outputs) count.set(output, (count.get(output) ?? 0) + 1);
      expect(Math.max(...count.values()) / outputs.length, kind).to.be.at.most(0.55);
    }
  });

  it('takes extracts, terms, sections and years from the passage itself', () => {
    const copied = [
      'extract',
      'definition',
      'term',
      'quoted',
      'section_number',
      'section_title',
      'year',
      'holder',
      'named',
    ];
    for (const { kind, input, output } of legal())
      if (copied.includes(kind)) expect(input).to.include(output);
  });

  it('has short rows and mostly short answers', async () => {
    const model = openModel(host, starter);
    const [tokenizer, template] = [await model.tokenizer(), model.template()];
    const system = readFileSync(join(host.packageFolder, 'pipelines/prompts/legal.md'), 'utf8').trim();
    const rows = legal();
    let tokens = 0;
    let short = 0;
    for (const { instruction, input, output } of rows) {
      const messages: readonly ChatMessage[] = [
        { role: 'system', content: system },
        { role: 'user', content: input === undefined ? instruction : `${instruction}\n\n${input}` },
        { role: 'assistant', content: output },
      ];
      const length = tokenizer.encode(template?.render(messages) ?? '').length;
      tokens += length;
      expect(length).to.be.at.most(180);
      if (tokenizer.encode(output).length <= 8) short++;
    }
    expect(tokens / rows.length).to.be.at.most(75);
    expect(short / rows.length).to.be.at.least(0.7);
  });
});

describe('the tokenizer of the starter', () => {
  interface Recorded {
    readonly texts: readonly { readonly text: string; readonly ids: readonly number[] }[];
    readonly chats: readonly {
      readonly messages: readonly ChatMessage[];
      readonly text: string;
      readonly prompt: string;
      readonly ids: readonly number[];
    }[];
    readonly eos: number;
    readonly pad: number;
    readonly vocabulary: number;
  }
  const recorded = JSON.parse(
    readFileSync(join(host.packageFolder, 'test/fixtures/starter-tokenizer/recorded.json'), 'utf8'),
  ) as Recorded;

  it('gives the ids and the chats of transformers', async () => {
    const model = openModel(host, starter);
    const [tokenizer, template] = [await model.tokenizer(), model.template()];
    if (template === undefined) throw new Error('the starter has no chat template');
    checkSpecialTokens(tokenizer, template);
    for (const { text, ids } of recorded.texts) {
      expect([...tokenizer.encode(text)], text).to.deep.equal(ids);
      expect(tokenizer.decode(ids)).to.equal(text);
    }
    for (const { messages, text, prompt, ids } of recorded.chats) {
      expect(template.render(messages)).to.equal(text);
      expect(template.render(messages, { addGenerationPrompt: true })).to.equal(prompt);
      expect([...tokenizer.encode(text)]).to.deep.equal(ids);
    }
  });

  it('agrees with the config of the model', async () => {
    const { config, ...model } = openModel(host, starter);
    const tokenizer = await model.tokenizer();
    expect(tokenizer.vocabSize).to.equal(config.vocabSize).and.to.equal(recorded.vocabulary);
    expect(config.eosTokenIds).to.deep.equal([recorded.eos]);
    expect(config.padTokenId).to.equal(recorded.pad);
    expect(tokenizer.idOf('<|im_end|>')).to.equal(recorded.eos);
    expect([...tokenizer.encode('1998')]).to.have.length(4);
  });
});
