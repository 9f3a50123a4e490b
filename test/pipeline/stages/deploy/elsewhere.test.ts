import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { openModel } from '../../../../src/compute/models/load.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { StageEvent } from '../../../../src/language/ir/events.js';
import type { ElsewhereRequest, PublishedElsewhere } from '../../../../src/pipeline/deploy/elsewhere.js';
import { run } from '../../../../src/pipeline/stages/deploy/run.js';
import {
  artefact,
  contextOf,
  formatted,
  SPAN,
  scratch,
  stageOf,
  tiny,
  trained,
} from '../../../compute/evaluation/tiny.js';

describe('a deploy stage whose target is no folder', () => {
  const place = scratch();
  after(() => place.remove());

  const deploy = async (
    publishElsewhere: (request: ElsewhereRequest) => Promise<PublishedElsewhere>,
    events: StageEvent[] = [],
  ) => {
    const folder = join(place.path, 'project');
    const tokenizer = await openModel(nodeHost(), join(tiny, 'base')).tokenizer();
    mkdirSync(join(folder, 'quality'), { recursive: true });
    const quality = artefact(
      stageOf('eval', 'quality', { dataset: { stage: 'rows', port: 'test' } }),
      join(folder, 'quality'),
      { metrics: { perplexity: 3, accuracy: Number.NaN }, baseline: { perplexity: 5 } },
    );
    const stage = stageOf('deploy', 'there', {
      model: { stage: 'adapter', port: 'best' },
      target: { call: 'hub_release', args: { repository: 'org/legal', private: true, branch: 'main' } },
      smoke: 'Is MIT free?',
    });
    const inputs = [formatted(folder, tokenizer, [{ prompt: 'Q', answer: 'A' }]), trained(folder), quality];
    const context = contextOf(stage, inputs, folder);
    return run({ ...context, emit: (event) => events.push(event), publishElsewhere });
  };
  const published = {
    number: 3,
    action: 'publish',
    digest: 'd',
    url: 'https://hub/org/legal',
    version: 'c',
  } as const;
  const textOf = ({ files }: ElsewhereRequest, name: string): string =>
    files.flatMap((file) => (file.name === name ? [...file.read(0, file.bytes)] : [])).join('');

  it('gives the place all files, once the model has answered, and says where they are', async () => {
    const requests: ElsewhereRequest[] = [];
    const events: StageEvent[] = [];
    const result = await deploy(async (request) => {
      requests.push(request);
      return published;
    }, events);
    expect(result.metrics).to.deep.equal({ release: 3 });
    expect(result.outputs).to.deep.equal({ report: 'report.json' });
    expect(events.flatMap((event) => (event.type === 'note' ? [event.text] : []))).to.deep.equal([
      'asking the release before it is published',
      'release 3 is at https://hub/org/legal',
    ]);
    const [request] = requests;
    if (request === undefined) throw new Error('nothing was published');
    expect(request.draft.smoke?.prompt).to.equal('Is MIT free?');
    const names = request.files.map(({ name }) => name);
    expect(names).to.include.members([
      'adapter_config.json',
      'adapter_model.safetensors',
      'README.md',
      'serve/README.md',
    ]);
    expect(names).not.to.include('manifest.json');
    expect(request.draft.base.folder).not.to.match(/^\//);
  });

  it('has a card with data and measurements, and no place of this machine', async () => {
    let card = '';
    let script = '';
    await deploy(async (request) => {
      card = textOf(request, 'README.md');
      script = textOf(request, 'serve/vllm.sh');
      return published;
    });
    const [, front = '', body = ''] = /^---\n([\s\S]*?)---\n([\s\S]*)$/.exec(card) ?? [];
    expect(parse(front)).to.deep.include({
      library_name: 'peft',
      'model-index': [
        {
          name: 'legal',
          results: [
            {
              task: { type: 'text-generation' },
              dataset: { type: 'rows', name: 'rows (test)' },
              metrics: [{ type: 'perplexity', name: 'perplexity', value: 3 }],
            },
          ],
        },
      ],
    });
    expect(body).to.contain('| perplexity | 3 | 5 |').and.to.contain('## Training `adapter`');
    expect(script).to.contain('--enable-lora');
  });

  it('shows what goes wrong there at the stage', async () => {
    const error = await deploy(async () => {
      throw new UserError({ code: 'FTP2135', severity: 'error', message: 'no' });
    }).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(UserError);
    expect((error as UserError).diagnostic).to.include({ code: 'FTP2135', at: SPAN });
  });
});
