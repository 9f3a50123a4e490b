import { expect } from 'chai';
import type { CompletionRequest } from '../../../../src/compute/serving/types.js';
import { fakeModel, fakeServer, saying } from '../../../helpers/served-model.js';
import { sseEvents } from '../../../helpers/sse.js';

const URL = '/v1/completions';

describe('completions', () => {
  const seen: CompletionRequest[] = [];
  const { post } = fakeServer(
    fakeModel((request, signal) => {
      seen.push(request);
      return saying('Once', ' upon')(request, signal);
    }),
  );
  beforeEach(() => {
    seen.length = 0;
  });

  it('answers as OpenAI does', async () => {
    const { id, created, ...body } = (await post(URL, { model: 'fake', prompt: 'A', logprobs: 1 })).json();
    expect([typeof created, String(id).slice(0, 5)]).to.deep.equal(['number', 'cmpl-']);
    expect(body).to.deep.equal({
      ...{ model: 'fake', object: 'text_completion', system_fingerprint: 'fp_3' },
      choices: [
        {
          text: 'Once upon',
          index: 0,
          logprobs: {
            tokens: ['Once', ' upon'],
            token_logprobs: [-0.5, -0.5],
            top_logprobs: [{ Once: -0.5 }, { ' upon': -0.5 }],
            text_offset: [0, 4],
          },
          finish_reason: 'stop',
        },
      ],
      usage: {
        ...{ prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 },
        prompt_tokens_details: { cached_tokens: 2 },
      },
    });
    expect(seen[0]).to.include({ maxTokens: 16, logprobs: 1 });
  });

  it('takes texts and token ids, several of them, with several answers each', async () => {
    const { choices, usage } = (await post(URL, { model: 'fake', prompt: ['A', 'B'], n: 2 })).json();
    expect(choices?.map(({ index }) => index)).to.deep.equal([0, 1, 2, 3]);
    expect(seen.map(({ prompt, stream }) => ({ ...prompt, stream }))).to.deep.equal([
      { text: 'A', stream: 0 },
      { text: 'A', stream: 1 },
      { text: 'B', stream: 0 },
      { text: 'B', stream: 1 },
    ]);
    expect(usage).to.include({ prompt_tokens: 14, completion_tokens: 8 });
    await post(URL, { model: 'fake', prompt: [5, 6] });
    await post(URL, { model: 'fake', prompt: [[5, 6], [7]] });
    expect(seen.slice(4).map(({ prompt }) => prompt)).to.deep.equal([
      { tokens: [5, 6] },
      { tokens: [5, 6] },
      { tokens: [7] },
    ]);
  });

  it('streams, with offsets of log-probabilities that go on', async () => {
    const { chunks, done } = sseEvents(
      (await post(URL, { model: 'fake', prompt: 'A', stream: true, logprobs: 0 })).body,
    );
    expect(done).to.equal(true);
    const choices = chunks.map((chunk) => chunk['choices']?.[0]);
    expect(choices.map((choice) => choice?.['text'])).to.deep.equal(['Once', ' upon', '']);
    expect(choices.map((choice) => choice?.['logprobs']?.['text_offset']?.[0])).to.deep.equal([
      0,
      4,
      undefined,
    ]);
    expect(choices.at(-1)?.['finish_reason']).to.equal('stop');
  });

  it('repeats the prompt where it is asked to, even without an answer', async () => {
    expect(
      (await post(URL, { model: 'fake', prompt: 'A', echo: true, max_tokens: 0, logprobs: 1 })).status,
    ).to.equal(200);
    expect(seen[0]).to.include({ echo: true, maxTokens: 0, logprobs: 1 });
  });

  it('counts offsets from the text that it repeats, before which the model may have a token', async () => {
    const pieces = [
      { text: 'The end', tokens: ['<bos>', 'The', ' end'] },
      { text: '.', tokens: ['.'] },
    ];
    const server = fakeServer(
      fakeModel(async function* () {
        yield { type: 'start', promptTokens: 3, cachedTokens: 0 };
        for (const { text, tokens } of pieces)
          yield {
            ...{ type: 'text', text, tokens: tokens.map((_, id) => id) },
            logprobs: tokens.map((token, id) => ({ id, text: token, bytes: [], logprob: -1, top: [] })),
          };
        yield { type: 'end', reason: 'stop', promptTokens: 3, answerTokens: 1, seconds: 0 };
      }),
    );
    const fields = { model: 'fake', prompt: 'The end', echo: true, logprobs: 0 };
    const [whole] = (await server.post(URL, fields)).json()['choices'] ?? [];
    expect(whole).to.include({ text: 'The end.' });
    expect(whole?.['logprobs']?.['text_offset']).to.deep.equal([0, 0, 3, 7]);
    const { chunks } = sseEvents((await server.post(URL, { ...fields, stream: true })).body);
    const offsets = chunks.map((chunk) => chunk['choices']?.[0]?.['logprobs']?.['text_offset']);
    expect(offsets.slice(0, 2)).to.deep.equal([[0, 0, 3], [7]]);
  });

  it('has no probability for the first token of a prompt, and a finite one for the impossible', async () => {
    const server = fakeServer(
      fakeModel(async function* () {
        yield { type: 'start', promptTokens: 2, cachedTokens: 0 };
        const tokens = [Number.NaN, Number.NEGATIVE_INFINITY].map((logprob) => ({
          ...{ id: 1, text: 'A', bytes: [65], logprob },
          top: [{ id: 1, text: 'A', bytes: [65], logprob }],
        }));
        yield { type: 'text', text: 'AA', tokens: [1, 1], logprobs: tokens };
        yield { type: 'end', reason: 'stop', promptTokens: 2, answerTokens: 0, seconds: 0 };
      }),
    );
    const { choices } = (
      await server.post(URL, { model: 'fake', prompt: 'A', echo: true, logprobs: 1 })
    ).json();
    expect(choices?.[0]?.['logprobs']).to.deep.include({
      token_logprobs: [null, -9999],
      top_logprobs: [null, { A: -9999 }],
    });
  });

  for (const [fields, param] of [
    [{ prompt: undefined }, 'prompt'],
    [{ prompt: [] }, 'prompt'],
    [{ prompt: ['a', 1] }, 'prompt'],
    [{ prompt: [-1] }, 'prompt'],
    [{ suffix: 'end' }, 'suffix'],
    [{ best_of: 3 }, 'best_of'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ logprobs: 21 }, 'logprobs'],
    [{ messages: [] }, 'messages'],
  ] as const)
    it(`refuses ${JSON.stringify(fields)}`, async () => {
      const { status, json } = await post(URL, { model: 'fake', prompt: 'A', ...fields });
      expect([status, json()['error']?.['param']]).to.deep.equal([400, param]);
      expect(seen).to.deep.equal([]);
    });
});
