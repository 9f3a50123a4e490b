import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect } from 'chai';
import { parse } from 'yaml';
import type { LoraConfig } from '../../../../src/compute/models/adapters/config.js';
import { compileChatTemplate } from '../../../../src/compute/models/chat-template/index.js';
import {
  readServerFacts,
  type ServerFacts,
  serveFiles,
} from '../../../../src/compute/packaging/servers/index.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { expectGolden } from '../../../helpers/golden.js';
import { scratch, tiny } from '../../evaluation/tiny.js';
import { readFixture } from '../../models/fixtures.js';

const host = nodeHost();
const CHATML = host.readText(join(host.packageFolder, 'stdlib/chat/chatml.jinja'));

const LORA: LoraConfig = {
  kind: 'lora',
  rank: 24,
  alpha: 48,
  dropout: 0,
  targets: ['q_proj'],
  rankPattern: { 'layers.0.self_attn.q_proj': 40 },
};
const MODEL: ServerFacts = {
  name: 'legal',
  kind: 'model',
  base: { folder: '/models/base', label: 'base' },
  ggufBase: false,
  architecture: 'LlamaForCausalLM',
  contextTokens: 2048,
  dtype: 'bfloat16',
  template: compileChatTemplate(CHATML, {}, 'chatml'),
  templateFile: 'chat_template.jinja',
  prompt: {
    style: 'chat',
    template: null,
    systems: [{ text: 'Say "yes" or\n$HOME.', rows: 3 }],
    otherRows: 0,
    stop: ['<|im_end|>', '###'],
  },
  system: 'Say "yes" or\n$HOME.',
  stop: ['<|im_end|>', '###'],
  stopToSend: ['###'],
  special: { bos_token: '<s>', eos_token: '<|im_end|>' },
};
const HUB = { folder: '/cache/snapshot', label: 'org/base', hub: { id: 'org/base', commit: 'a'.repeat(40) } };
const { templateFile: _, ...WITHOUT_FILE } = MODEL;
const ADAPTER: ServerFacts = { ...WITHOUT_FILE, kind: 'adapter', base: HUB, adapter: LORA };
/** One rank for all layers. */
const PLAIN: ServerFacts = { ...ADAPTER, adapter: { ...LORA, rankPattern: undefined } };
const GGUF: ServerFacts = { ...WITHOUT_FILE, kind: 'gguf', file: 'legal.gguf' };
const RELEASES: Readonly<Record<string, ServerFacts>> = {
  model: MODEL,
  adapter: ADAPTER,
  'adapter over a folder': { ...PLAIN, base: MODEL.base },
  'adapter with a GGUF file': { ...PLAIN, adapterFile: 'adapter.gguf', architecture: 'Qwen2ForCausalLM' },
  gguf: GGUF,
};

interface Compose {
  readonly services: Readonly<Record<string, { readonly command: readonly string[] }>>;
}
const composeOf = (facts: ServerFacts): Compose => parse(serveFiles(facts)['compose.yaml'] ?? '') as Compose;

/** The words of a script's command, as the shell gives them to the program. */
function wordsOf(folder: string, facts: ServerFacts, script: string): readonly string[] {
  const files = serveFiles(facts);
  mkdirSync(join(folder, 'serve'), { recursive: true });
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const program = /exec (\S+)/.exec(files[script] ?? '')?.[1] ?? '';
  writeFileSync(join(folder, 'bin', program), '#!/bin/sh\nfor word; do printf "%s\\0" "$word"; done\n', {
    mode: 0o755,
  });
  writeFileSync(join(folder, 'serve', script), files[script] ?? '');
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}` };
  return execFileSync('sh', [join(folder, 'serve', script), '--port', '9'], { env, encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
}

describe('serve/ of a release', () => {
  const place = scratch();
  after(() => place.remove());

  for (const [name, facts] of Object.entries(RELEASES)) {
    it(`has what servers need: ${name}`, () => {
      const text = Object.entries(serveFiles(facts))
        .map(([file, content]) => `==> ${file} <==\n${content}`)
        .join('\n');
      expectGolden(`test/fixtures/servers/${name.replaceAll(' ', '-')}.txt`, text);
    });
  }

  it('has a compose file that the specification allows', () => {
    const schema = readFixture<object>('servers/compose-spec.json');
    const { $schema: _draft, ...rest } = schema as { readonly $schema: string };
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(rest);
    for (const [name, facts] of Object.entries(RELEASES)) {
      validate(composeOf(facts));
      expect(validate.errors, name).to.equal(null);
    }
    expect(validate({ services: { a: { image: 1 } } })).to.equal(false);
  });

  it('gives vLLM arguments that its own parser takes', () => {
    const { arguments: known } = readFixture<{
      readonly arguments: Readonly<Record<string, { readonly choices?: readonly string[] }>>;
    }>('servers/vllm-arguments.json');
    for (const facts of [MODEL, ADAPTER, { ...MODEL, labels: ['a', 'b'] }]) {
      for (const words of [
        wordsOf(join(place.path, 'vllm'), facts, 'vllm.sh'),
        composeOf(facts).services['vllm']?.command ?? [],
      ]) {
        for (const [index, word] of words.entries()) {
          if (!word.startsWith('--')) continue;
          expect(known, word).to.have.property(word);
          const { choices } = known[word] ?? {};
          if (choices !== undefined) expect(choices, word).to.include(words[index + 1]);
        }
      }
    }
  });

  it('gives the launcher of Text Generation Inference and llama-server what their documentation lists', () => {
    const lists = readFixture<Readonly<Record<'tgi' | 'llama-server', readonly string[]>>>(
      'servers/documented-arguments.json',
    );
    for (const [id, facts] of [
      ['tgi', MODEL],
      ['tgi', PLAIN],
      ['llama-server', GGUF],
      ['llama-server', { ...PLAIN, adapterFile: 'adapter.gguf' }],
    ] as const) {
      const words = wordsOf(join(place.path, id), facts, `${id}.sh`);
      for (const word of words) if (word.startsWith('--')) expect(lists[id], word).to.include(word);
    }
  });

  it('starts in the folder of the release, whatever its name', () => {
    const folder = join(place.path, "it's a $HOME");
    expect(wordsOf(folder, { ...MODEL, name: 'a' }, 'tgi.sh').slice(-4)).to.deep.equal([
      '--port',
      '8080',
      '--port',
      '9',
    ]);
    const words = wordsOf(folder, PLAIN, 'tgi.sh');
    expect(words).to.include(`legal=${folder}`);
    expect(words.slice(0, 4)).to.deep.equal(['--model-id', 'org/base', '--revision', 'a'.repeat(40)]);
  });

  it('gives llama.cpp and Ollama the context in which they compute what was evaluated', () => {
    const files = serveFiles({ ...GGUF, llamaTokens: 512 });
    expect(files['Modelfile']).to.contain('PARAMETER num_ctx 512\n');
    expect(files['llama-server.sh']).to.match(/--ctx-size 512\b/);
    expect(serveFiles(GGUF)['llama-server.sh']).to.match(/--ctx-size 2048\b/);
  });

  it('takes the least rank of vLLM that is enough, and says what it can’t', () => {
    const rank = (adapter: LoraConfig): string | undefined => {
      const command = composeOf({ ...ADAPTER, adapter }).services['vllm']?.command ?? [];
      return command[command.indexOf('--max-lora-rank') + 1];
    };
    expect(rank({ ...LORA, rankPattern: undefined })).to.equal('32');
    expect(rank(LORA)).to.equal('64');
    const readme = (more: Partial<LoraConfig>): string =>
      serveFiles({ ...ADAPTER, adapter: { ...LORA, ...more } })['README.md'] ?? '';
    expect(readme({ rank: 1000 })).to.match(
      /vLLM takes ranks of up to 512, and this adapter has 1000. Merge it/,
    );
    expect(readme({ dora: true }))
      .to.contain('vLLM has no DoRA')
      .and.to.contain('takes no adapter with DoRA');
    expect(readme({ rslora: true })).to.contain('rsLoRA’s scale');
    expect(readme({ modulesToSave: ['lm_head'] })).to.contain('trained whole (lm_head)');
    const added = serveFiles({ ...PLAIN, addedTokens: { specialTokens: ['<tool>'] } })['README.md'] ?? '';
    expect(added).to.contain('no further tokens').and.contain('tokens that its base lacks');
    expect(readme({ bias: 'all' }))
      .to.contain('vLLM takes no trained biases')
      .and.to.contain('takes no adapter with trained biases');
    expect(readme({ dora: true })).not.to.contain('sh serve/vllm.sh');
  });

  it('reads the facts from the folders', async () => {
    const base = { folder: join(tiny, 'base'), label: 'base' };
    const adapter = await readServerFacts(host, { name: 'a b', folder: join(tiny, 'adapter'), base });
    expect(adapter).to.include({ name: 'a-b', kind: 'adapter', contextTokens: 128, dtype: 'float32' });
    expect(adapter.adapter).to.include({ kind: 'lora', rank: 3 });
    const starter = join(host.packageFolder, 'stdlib/models/starter');
    const model = await readServerFacts(host, { name: 'm', folder: starter, base });
    expect(model).to.deep.include({
      kind: 'model',
      stop: ['<|im_end|>'],
      stopToSend: [],
      templateFile: 'chat_template.jinja',
    });
  });
});
