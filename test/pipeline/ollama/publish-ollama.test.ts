import { join } from 'node:path';
import { expect } from 'chai';
import { readServerFacts, type ServerFacts } from '../../../src/compute/packaging/servers/index.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import type { ServerWait } from '../../../src/language/host/host.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import type { ElsewhereRequest, PublishedElsewhere } from '../../../src/pipeline/deploy/elsewhere.js';
import { textFile } from '../../../src/pipeline/deploy/release-file.js';
import { askJson, ollamaAccess } from '../../../src/pipeline/ollama/ollama-access.js';
import { publishModel } from '../../../src/pipeline/ollama/publish-ollama.js';
import { tiny } from '../../compute/evaluation/tiny.js';
import { type FakeOllama, fakeOllama, refuse, type Trouble } from './fake-ollama.js';

const host = nodeHost();
const STARTER = join(host.packageFolder, 'stdlib/models/starter');

const FILES: Readonly<Record<string, string>> = {
  'config.json': '{}',
  'manifest.json': '{}',
  'model.safetensors': 'weights '.repeat(1000),
  'serve/config.json': '{}',
  'tokenizer.json': '{"a":1}',
  'training_prompt.json': '{}',
};

describe('publishing a release to Ollama', () => {
  let ollama: FakeOllama;
  let model: ServerFacts;
  before(async () => {
    model = await readServerFacts(host, {
      name: 'legal',
      folder: STARTER,
      base: { folder: STARTER, label: 'starter' },
    });
  });
  beforeEach(async () => {
    ollama = await fakeOllama();
  });
  afterEach(() => ollama.close());

  const publish = (
    facts: ServerFacts = model,
    files: Readonly<Record<string, string>> = FILES,
    more: {
      readonly prompt?: string | null;
      readonly name?: string;
      readonly progress?: ElsewhereRequest['progress'];
    } = {},
  ): Promise<PublishedElsewhere> => {
    const { prompt = 'Is MIT free?', name = 'legal', progress = () => undefined } = more;
    const request: ElsewhereRequest = {
      target: { call: 'ollama', args: { name } },
      files: Object.entries(files).map(([file, text]) => textFile(file, text)),
      facts,
      draft: {
        kind: 'model',
        ftpc: '0.0.0',
        base: { label: 'base', folder: 'base', storage: 'stored', sha256: 'b', files: {} },
        adapter: null,
        stages: [],
        data: [],
        settings: {},
        metrics: {},
        baseline: {},
        smoke: prompt === null ? null : { prompt, answer: 'Yes' },
      },
      digest: 'd',
      memory: { get: () => undefined, set: async () => undefined, drop: () => undefined },
      signal: new AbortController().signal,
      progress,
    };
    const access = { ...ollamaAccess(host), endpoint: ollama.endpoint, pauses: [1, 1, 1], patience: 2_000 };
    return publishModel(access, host, request);
  };
  const codeOf = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
    } catch (error) {
      if (error instanceof UserError) return error.diagnostic.code;
      throw error;
    }
    return 'none';
  };

  it('sends what Ollama reads, with the template, the stop texts and the system prompt of training', async () => {
    const prompt = {
      style: 'chat',
      template: null,
      systems: [{ text: 'Be brief.', rows: 1 }],
      otherRows: 0,
      stop: ['<|im_end|>'],
    } as const;
    const { action, version } = await publish({ ...model, prompt, system: 'Be brief.' });
    const made = ollama.models.get('legal:latest');
    expect(action).to.equal('publish');
    expect(version).to.equal(made?.digest);
    expect(Object.keys(made?.files ?? {})).to.deep.equal([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
    ]);
    expect(made?.template).to.contain('<|im_start|>user\n{{.Content}}<|im_end|>');
    expect(made?.system).to.equal('Be brief.');
    expect(made?.parameters).to.deep.equal({ num_ctx: 512, temperature: 0, stop: ['<|im_end|>'] });
    expect(ollama.asked).to.deep.equal([
      {
        model: 'legal',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Is MIT free?' },
        ],
        options: { num_predict: 48 },
        stream: false,
      },
    ]);
  });

  it('sends no blob twice, and says when the model is the same', async () => {
    await publish();
    const before = ollama.calls.length;
    expect(await publish()).to.include({ action: 'unchanged' });
    expect(ollama.calls.slice(before).filter((call) => /^POST \/api\/blobs/.test(call))).to.have.length(0);
    expect(await publish(model, { ...FILES, 'config.json': '{"a":2}' })).to.include({ action: 'publish' });
  });

  it('sends an adapter with its base', async () => {
    const folder = join(tiny, 'adapter');
    const base = { folder: join(tiny, 'base'), label: 'base' };
    const facts = await readServerFacts(host, { name: 'legal', folder, base });
    await publish(
      { ...facts, architecture: 'LlamaForCausalLM' },
      { 'adapter_config.json': '{}', 'adapter_model.safetensors': 'x' },
    );
    const made = ollama.models.get('legal:latest');
    expect(Object.keys(made?.adapters ?? {})).to.deep.equal([
      'adapter_config.json',
      'adapter_model.safetensors',
    ]);
    expect(made?.files).to.include.keys('config.json', 'model.safetensors', 'tokenizer.json');
    expect(made?.files).not.to.have.any.keys('adapter_config.json');
  });

  it('sends an adapter that is a GGUF file as that, whatever the architecture', async () => {
    const base = { folder: join(tiny, 'base'), label: 'base' };
    const found = await readServerFacts(host, { name: 'legal', folder: join(tiny, 'adapter'), base });
    const facts = { ...found, architecture: 'Qwen2ForCausalLM', adapterFile: 'adapter.gguf' };
    await publish(facts, { 'adapter_config.json': '{}', 'serve/adapter.gguf': 'GGUF' });
    expect(Object.keys(ollama.models.get('legal:latest')?.adapters ?? {})).to.deep.equal(['adapter.gguf']);
  });

  it('sends a GGUF file alone', async () => {
    await publish(
      { ...model, kind: 'gguf', file: 'model.gguf' },
      { 'model.gguf': 'GGUF', 'config.json': '{}' },
    );
    expect(Object.keys(ollama.models.get('legal:latest')?.files ?? {})).to.deep.equal(['model.gguf']);
  });

  it('asks as training wrote it where Ollama has no such template', async () => {
    const source = '{% for m in messages %}{{ loop.index ~ m.content }}{% endfor %}';
    const template = { source, render: () => '1Is MIT free?' };
    await publish({ ...model, template });
    expect(ollama.models.get('legal:latest')?.template).to.equal('{{ .Prompt }}');
    expect(ollama.asked).to.deep.equal([
      { model: 'legal', prompt: '1Is MIT free?', raw: true, options: { num_predict: 48 }, stream: false },
    ]);
  });

  it('tells how much it has sent before a blob is whole', async () => {
    const told: number[] = [];
    let blobs = 0;
    ollama.trouble = (call) => {
      // a blob is answered once it has come whole
      if (/^POST \/api\/blobs/.test(call) && blobs++ === 0) told.push(0);
      return false;
    };
    await publish(model, FILES, { progress: (done) => void told.push(done) });
    expect(told.indexOf(0)).to.be.above(0);
    expect(told.at(-1)).to.equal(Math.max(...told));
  });

  it('goes on after a drop, where blobs are there', async () => {
    let dropped = 0;
    ollama.trouble = (call, response) => {
      if (!/^POST \/api\/blobs/.test(call) || ++dropped !== 2) return false;
      response.destroy();
      return true;
    };
    expect(await publish()).to.include({ action: 'publish' });
    expect(ollama.calls.filter((call) => /^POST \/api\/blobs/.test(call))).to.have.length(4);
  });

  const spoil =
    (change: (made: NonNullable<ReturnType<FakeOllama['models']['get']>>) => object): Trouble =>
    (call) => {
      const made = ollama.models.get('legal:latest');
      if (call === 'POST /api/show' && made !== undefined)
        ollama.models.set('legal:latest', { ...made, ...change(made) });
      return false;
    };
  const troubles: readonly (readonly [string, string, () => Trouble])[] = [
    [
      'a refusal',
      'FTP2142',
      () => (call, response) =>
        call === 'POST /api/create' && refuse(response, 400, 'unsupported architecture'),
    ],
    [
      'a failure in the middle',
      'FTP2142',
      () => (call, response) => {
        if (call !== 'POST /api/create') return false;
        response
          .writeHead(200)
          .end('{"status":"converting model"}\n{"error":"unsupported architecture \\"X\\""}\n');
        return true;
      },
    ],
    [
      'an end without success',
      'FTP2142',
      () => (call, response) => {
        if (call === 'POST /api/create') response.writeHead(200).end('{"status":"converting model"}\n');
        return call === 'POST /api/create';
      },
    ],
    [
      'a blob that arrives as another',
      'FTP2142',
      () => (call, response) => /^POST \/api\/blobs/.test(call) && refuse(response, 400, 'digest mismatch'),
    ],
    [
      'no space',
      'FTP2142',
      () => (call, response) =>
        /^POST \/api\/blobs/.test(call) && refuse(response, 500, 'no space left on device'),
    ],
    ['another template', 'FTP2143', () => spoil(() => ({ template: '{{ .Prompt }}' }))],
    ['no stop text', 'FTP2143', () => spoil(() => ({ parameters: {} }))],
    [
      'an empty answer',
      'FTP2144',
      () => () => {
        ollama.answer = ' ';
        return false;
      },
    ],
    [
      'a runner that ends',
      'FTP2144',
      () => (call, response) =>
        /^POST \/api\/(?:chat|generate)$/.test(call) && refuse(response, 500, 'the runner has terminated'),
    ],
    [
      'a model that was made and is not shown',
      'FTP2143',
      () => (call, response) => call === 'POST /api/show' && refuse(response, 404, 'not found'),
    ],
    [
      'a blob that is sent elsewhere',
      'FTP2142',
      () => (call, response) => {
        if (!/^POST \/api\/blobs/.test(call)) return false;
        response.writeHead(307, { location: 'http://localhost:1/steal' }).end();
        return true;
      },
    ],
    ['a busy server', 'FTP2140', () => (_, response) => refuse(response, 503, 'busy')],
    [
      'an answer that is no JSON',
      'FTP2142',
      () => (call, response) => {
        if (call === 'GET /api/tags') response.end('<html>');
        return call === 'GET /api/tags';
      },
    ],
  ];
  for (const [what, code, trouble] of troubles) {
    it(`says what it is: ${what}`, async () => {
      ollama.trouble = trouble();
      expect(await codeOf(publish())).to.equal(code);
    });
  }

  it('says that nobody is there, and what Ollama can’t make', async () => {
    expect(await codeOf(publish({ ...model, architecture: 'GPT2LMHeadModel' }))).to.equal('FTP2141');
    expect(ollama.calls).to.deep.equal([]);
    await ollama.close();
    expect(await codeOf(publish())).to.equal('FTP2140');
    ollama = await fakeOllama();
  });

  it('waits long for a model that is made, and not for a server that looks nothing up', async () => {
    const waits: ServerWait[] = [];
    const waiting = (wait: ServerWait): void => void waits.push(wait);
    const usual = ollamaAccess({ ...host, waiting });
    expect(usual.lookup).to.be.below(usual.patience);
    ollama.trouble = (call) => call === 'GET /api/tags';
    const access = { ...usual, endpoint: ollama.endpoint, pauses: [1], lookup: 60, quiet: 20 };
    const silent = askJson(access, () => expect.fail('it is not reached'), '/api/tags');
    expect(await codeOf(silent)).to.equal('FTP2140');
    expect(ollama.calls).to.deep.equal(['GET /api/tags', 'GET /api/tags']);
    expect(waits[0]).to.deep.equal({ server: new URL(ollama.endpoint).host });
    ollama.trouble = (call, response) => {
      if (call === 'POST /api/create') setTimeout(() => response.end('{"status":"success"}'), 150);
      return call === 'POST /api/create';
    };
    expect(await askJson(access, () => expect.fail('it answers'), '/api/create', {})).to.deep.equal({
      status: 'success',
    });
  });

  it('finds Ollama where OLLAMA_HOST says, as Ollama reads it', () => {
    const at = (text: string | undefined): string => ollamaAccess({ env: () => text }).endpoint;
    expect(at(undefined)).to.equal('http://127.0.0.1:11434');
    expect(at('0.0.0.0')).to.equal('http://127.0.0.1:11434');
    expect(at('box:1234')).to.equal('http://box:1234');
    expect(at('https://box')).to.equal('https://box:443');
    expect(at('http://box/ollama/')).to.equal('http://box:80/ollama');
    expect(at('[::1]:99')).to.equal('http://[::1]:99');
  });
});
