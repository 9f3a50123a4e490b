/** What llama.cpp is given to answer with. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Diagnostic } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { openServing } from '../../../src/pipeline/deploy/open-serving.js';
import { scratch, tiny } from '../../compute/evaluation/tiny.js';
import { whereLlama } from '../../compute/serving/llama-cpp/here.js';

describe('serving with llama.cpp', () => {
  const place = scratch();
  after(() => place.remove());

  whereLlama(() => {
    it('computes no more answers at once than llama.cpp has sequences', async () => {
      const folder = join(tiny, 'base');
      const sizes = { rows: 300, contextTokens: 16, threads: 1 };
      const engine = await openServing(nodeHost(), { folder, engine: 'llama.cpp', ...sizes });
      expect(engine.info.rows).to.equal(256);
      await engine.close();
    });

    it('keeps to the length up to which it computes what is evaluated, unless more is asked for', async () => {
      const folder = join(place.path, 'mistral');
      cpSync(join(tiny, 'base'), folder, { recursive: true });
      const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
      const mistral = { architectures: ['MistralForCausalLM'], model_type: 'mistral', sliding_window: 24 };
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...mistral }));
      for (const [contextTokens, expected, codes] of [
        [undefined, 24, []],
        [20, 20, []],
        [30, 30, ['FTP2320']],
      ] as const) {
        const said: Diagnostic[] = [];
        const engine = await openServing(nodeHost(), {
          ...{ folder, engine: 'llama.cpp', threads: 1, rows: 1 },
          ...(contextTokens !== undefined && { contextTokens }),
          warn: (diagnostic) => {
            said.push(diagnostic);
          },
        });
        expect(engine.info.contextTokens).to.equal(expected);
        await engine.close();
        const found = said.map(({ code }) => code).filter((code) => code === 'FTP2320');
        expect(found).to.deep.equal(codes);
      }
    });
  });
});
