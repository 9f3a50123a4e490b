import { expect } from 'chai';
import { accessLines } from '../../../src/pipeline/serve/access-log.js';
import type { RequestEnd } from '../../../src/pipeline/serve/observer.js';
import { redaction } from '../../../src/pipeline/serve/redact.js';

const END: RequestEnd = {
  ...{ id: 'chatcmpl-1', endpoint: 'chat', status: 200, reason: 'stop', streamed: false },
  ...{ promptTokens: 23, cachedTokens: 0, answerTokens: 40, queueSeconds: 0, seconds: 1.2 },
  release: { number: 2, role: 'canary' },
  prompt: [{ role: 'user', content: 'I am ana@example.org\u001b[2J\u009b2J' }],
  answers: ['Hello ana@example.org'],
};
const now = () => Date.UTC(2026, 0, 1, 12, 0, 3);
const redact = redaction([/\S+@\S+?\.org/u]);

describe('the log of requests', () => {
  it('has a line for each, without what was asked and answered', () => {
    expect(accessLines(END, { prompts: false, redact, now })).to.deep.equal([
      '12:00:03 chat 200 stop 1.20 s, 23 + 40 tokens, release 2 (canary)',
    ]);
    const refused = { ...END, status: 429, errorCode: 'queue_full', answerTokens: 0, release: undefined };
    expect(accessLines(refused, { prompts: false, redact, now })).to.deep.equal([
      '12:00:03 chat 429 queue_full 1.20 s',
    ]);
  });

  it('has these where they are asked for, redacted, and nothing that drives a terminal', () => {
    const [, asked = '', answered] = accessLines(END, { prompts: true, redact, now });
    expect(asked).to.match(/^ {2}> .*I am \[redacted\]/);
    expect(answered).to.equal('  < Hello [redacted]');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(asked).not.to.match(/[\u0000-\u001f\u007f-\u009f]|example/);
  });

  it('is redacted as the texts are, not as JSON writes them', () => {
    const prompt = [{ role: 'user', content: [{ type: 'text', text: 'It is\nAna "A" Lee\tor\nLee' }] }];
    const names = redaction([/\bAna "A" Lee\b/u, /\bLee\b/u]);
    const [, asked] = accessLines({ ...END, prompt, answers: [] }, { prompts: true, redact: names, now });
    expect(asked)
      .to.contain('[redacted]')
      .and.not.to.match(/Ana|Lee/);
    const [, text] = accessLines({ ...END, prompt: 'It is\nLee' }, { prompts: true, redact: names, now });
    expect(text).to.equal('  > It is\\n[redacted]');
  });
});
