import { defaulted, type FunctionSchema, optional, required, t } from '../schema.js';

/** Servers that answer in OpenAI's form. */
export const endpoints = {
  endpoint: {
    family: 'endpoint',
    doc: 'A server with OpenAI’s chat completions, `ftpc serve` too: its address up to `/v1`.',
    positional: ['url'],
    args: {
      url: required(t.filled, 'Address, e.g. `"https://api.openai.com/v1"` or `"http://127.0.0.1:8000/v1"`.'),
      model: optional(t.filled, 'Model that answers; default: the only one that the server lists.'),
      key: optional(
        t.secret,
        'A `secret` that holds the key; it is sent to this server alone, and kept nowhere.',
      ),
      concurrency: defaulted(t.integer({ min: 1, max: 64 }), 4, 'Requests at a time.'),
      timeout: defaulted(
        t.quantity('seconds', { min: 1 }),
        60,
        'How long a request may be silent; then it is sent again.',
      ),
      max_tokens: defaulted(t.quantity('tokens', { min: 16 }), 512, 'Longest reply.'),
    },
  },
} as const satisfies Record<string, FunctionSchema>;
