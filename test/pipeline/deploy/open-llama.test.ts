/** What llama.cpp is given to answer with. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Answerer } from '../../../src/compute/evaluation/chat.js';
import type { Diagnostic } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { openAnswerer } from '../../../src/pipeline/deploy/open-answerer.js';
import { openLlamaAnswerer } from '../../../src/pipeline/deploy/open-llama.js';
import { openServing } from '../../../src/pipeline/deploy/open-serving.js';
import { expected, scratch, tiny } from '../../compute/evaluation/tiny.js';
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

    it('gives the command line the answers of the embedded engine where weights have 32 bits', async () => {
      const adapter = { folder: join(tiny, 'adapter'), base: join(tiny, 'base'), threads: 1 };
      const [llama, plain] = [
        await openLlamaAnswerer(nodeHost(), { ...adapter, rows: 2 }),
        await openAnswerer(nodeHost(), adapter),
      ];
      const prompts = expected.prompts.map((prompt) => ({ prompt }));
      const texts = async (model: Answerer) => {
        const found: string[] = [];
        for await (const { text } of model.answerAll(prompts, { maxTokens: 16 })) found.push(text);
        return found;
      };
      expect(await texts(llama)).to.deep.equal(await texts(plain));
      await llama.release();
      await plain.release();
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
