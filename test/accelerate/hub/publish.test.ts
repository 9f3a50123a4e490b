import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { scratch } from '../../compute/evaluation/tiny.js';
import { TOKEN, type WritableHub, writableHub } from '../../pipeline/hub/publish/writable-hub.js';
import { FTPC } from '../../pipeline/run/processes.js';
import { PYTHON, withPython } from '../python.js';

const PIPELINE = `edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"
import { perplexity } from "std/eval"

secret hub_token = env("HF_TOKEN")

data rows {
  source = jsonl("rows.jsonl")
  split = { train: 80%, test: 20% }
}

format dialogs {
  from = rows
  template = chat()
  max_length = 64tok
}

train adapter using lora {
  base = starter()
  dataset = dialogs.train
  optimizer = adamw(rate: 1e-3)
  batch = { global: 4 }
  stop = { steps: 2 }
}

eval quality {
  model = adapter.last
  dataset = dialogs.test
  metrics = [perplexity]
  require perplexity > 1
}

deploy there {
  model = adapter.last
  when = quality.passed
  target = hub("org/legal")
}
`;

interface Seen {
  readonly listed: readonly string[];
  readonly digests: Readonly<Record<string, string>>;
  readonly results: readonly { readonly dataset: string; readonly metric: string; readonly value: number }[];
  readonly license: string | undefined;
  readonly library: string;
  readonly tags: readonly string[];
}

const run = promisify(execFile);

withPython('a release on the Hub, next to huggingface_hub', () => {
  const place = scratch();
  let hub: WritableHub;
  before(async () => {
    hub = await writableHub();
    hub.part = 500_000;
  });
  after(async () => {
    await hub.close();
    place.remove();
  });

  it('is read by its own library, which publishes to the same server', async () => {
    const folder = join(place.path, 'project');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'p.ftp'), PIPELINE);
    const rows = Array.from({ length: 40 }, (_, row) => ({
      instruction: `What is ${row}?`,
      output: `A ${row}.`,
    }));
    writeFileSync(join(folder, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const env = { ...process.env, HF_ENDPOINT: hub.endpoint, HF_TOKEN: TOKEN, NO_COLOR: '1' };
    await run(process.execPath, [FTPC, 'run', 'p.ftp'], { cwd: folder, env });

    const uploaded = join(place.path, 'uploaded');
    mkdirSync(uploaded);
    writeFileSync(join(uploaded, 'model.safetensors'), Buffer.alloc(1_200_000, 7));
    writeFileSync(join(uploaded, 'small.safetensors'), 'small');
    writeFileSync(join(uploaded, 'config.json'), '{}');
    const script = join(nodeHost().packageFolder, 'test/accelerate/hub/hub_client.py');
    const target = join(place.path, 'downloaded');
    const args = [script, hub.endpoint, TOKEN, uploaded, 'org/legal', target];
    const { stdout } = await run(PYTHON ?? 'python3', args, {
      env: { ...env, HF_HOME: join(place.path, 'home') },
    });
    const seen = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Seen;

    expect(seen.listed).to.deep.equal([
      '.gitattributes',
      'config.json',
      'model.safetensors',
      'small.safetensors',
    ]);
    const sent = [...hub.head('org/legal').files].filter(([name]) => !name.includes('/'));
    expect(seen.digests).to.deep.equal(
      Object.fromEntries(
        sent.map(([name, { bytes }]) => [name, createHash('sha256').update(bytes).digest('hex')]),
      ),
    );
    expect(seen.digests).to.include.keys('adapter_model.safetensors', 'adapter_config.json', 'manifest.json');
    expect(seen.library).to.equal('peft');
    expect(seen.tags).to.include.members(['ftpc', 'lora', 'adapter']);
    expect(seen.results.map(({ metric }) => metric)).to.include('perplexity');
    expect(seen.results[0]?.dataset).to.equal('dialogs (test)');
  });
});
