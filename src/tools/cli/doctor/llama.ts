/** Check of llama.cpp: it loads, and says of a question what the embedded engine says. */

import { userProblem } from '../../../compute/models/user-problem.js';
import { LLAMA, llamaDamage, llamaVersion, readLlama } from '../../../compute/serving/llama-cpp/installed.js';
import type { Host } from '../../../language/host/host.js';
import { openServing } from '../../../pipeline/deploy/open-serving.js';
import { type Check, failed, firstLine } from './checks.js';

/** Natural logarithms of probabilities differ by rounding, and no more. */
const TOLERANCE = 1e-3;
const QUESTION = 'Is the MIT License approved by the OSI?';
const TOKENS = 4;

const INSTALL = 'run `ftpc runtime install llama.cpp`';

export const llama: Check = async (host, { progress }) => {
  const found = readLlama(host);
  if (found === undefined)
    return { name: LLAMA, state: 'note', detail: `not installed; to serve GGUF files fast, ${INSTALL}` };
  const damage = llamaDamage(host, 'all');
  if (damage !== undefined) return failed(LLAMA, `damaged: ${damage}`, `repair it: ${INSTALL}`);
  const version = llamaVersion(found);
  try {
    progress('asking the starter model with llama.cpp');
    const [own, others] = [await answered(host, 'embedded'), await answered(host, 'llama.cpp')];
    const worst = Math.max(
      ...own.map(({ logprob }, at) => Math.abs(logprob - (others[at]?.logprob ?? Number.NaN))),
    );
    const isSame = own.every(({ id }, at) => id === others[at]?.id) && worst <= TOLERANCE;
    return isSame
      ? {
          name: LLAMA,
          state: 'ok',
          detail: `${version}; an answer and its log-probabilities agree with the embedded engine to ${worst.toExponential(0)}`,
        }
      : failed(LLAMA, `${version} answers differently from the embedded engine`, `reinstall it: ${INSTALL}`);
  } catch (error) {
    const { help = `reinstall it on this machine: ${INSTALL}` } = userProblem(error) ?? {};
    return failed(LLAMA, `${version} does not run: ${firstLine(error)}`, help);
  }
};

/** The tokens of an answer, with their log-probabilities. */
async function answered(host: Host, engine: 'embedded' | 'llama.cpp') {
  const folder = `${host.packageFolder}/stdlib/models/starter`;
  const model = await openServing(host, { folder, engine, rows: 1, contextTokens: 64, threads: 1 });
  try {
    const pieces = model.complete(
      {
        prompt: { messages: [{ role: 'user', content: QUESTION }] },
        ...{ maxTokens: TOKENS, draw: {}, stop: [], logprobs: 0 },
      },
      new AbortController().signal,
    );
    const tokens: { readonly id: number; readonly logprob: number }[] = [];
    for await (const piece of pieces) if (piece.type === 'text') tokens.push(...(piece.logprobs ?? []));
    return tokens;
  } finally {
    await model.close();
  }
}
