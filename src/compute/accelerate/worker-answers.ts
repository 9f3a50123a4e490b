import * as v from 'valibot';
import { type GrowingAnswer, growingAnswer } from '../evaluation/generation/answer.js';
import type { GeneratedAnswer, GenerationOptions } from '../evaluation/generation/settings.js';
import type { WorkerProcess } from './worker-process.js';

interface Prompts {
  /** What is asked, for people. */
  readonly label: string;
  readonly maxPositions: number;
  readonly prompts: readonly Int32Array[];
  /** Rows that are answered together. */
  readonly batches: readonly (readonly number[])[];
}

/**
 * The worker chooses tokens, by the draws that each row has in the embedded engine too; texts, and what ends them, are made
 * here. A row whose text has ended may get some tokens more, which nobody reads.
 */
export async function answersOf(
  worker: WorkerProcess,
  { label, maxPositions, prompts, batches }: Prompts,
  options: GenerationOptions,
): Promise<readonly GeneratedAnswer[]> {
  const { sampling, stopIds, streams, maxTokens, repetitionPenalty = 1, signal } = options;
  const results: GeneratedAnswer[] = prompts.map(() => ({ ids: [], reason: 'full', text: '' }));
  let done = prompts.length - batches.reduce((sum, { length }) => sum + length, 0);
  for (const rows of batches) {
    const answers = new Map<number, GrowingAnswer>(
      rows.map((row) => {
        const prompt = prompts[row] ?? new Int32Array(0);
        return [row, growingAnswer(row, prompt, maxPositions - prompt.length, options)];
      }),
    );
    await worker.ask({
      do: 'generate',
      label,
      fields: {
        rows: rows.map((row) => ({
          number: row,
          prompt: [...(prompts[row] ?? [])],
          limit: Math.min(maxTokens, maxPositions - (prompts[row]?.length ?? 0)),
          stream: streams?.[row] ?? row,
        })),
        stop_ids: stopIds,
        repetition_penalty: repetitionPenalty,
        ...(sampling && {
          sampling: {
            temperature: sampling.temperature,
            seed: sampling.seed,
            top_k: sampling.topK ?? 0,
            top_p: sampling.topP ?? 1,
            min_p: sampling.minP ?? 0,
          },
        }),
      },
      answer: v.null(),
      signal,
      line(said, tell) {
        if (!('tokens' in said)) return;
        const ended = said.tokens.filter(([row, id]) => accept(answers.get(row), id));
        if (ended.length === 0) return;
        done += ended.length;
        options.onProgress?.(done);
        tell({ do: 'end', rows: ended.map(([row]) => row) });
      },
    });
    for (const [row, answer] of answers) results[row] = answer.result();
  }
  return results;
}

/** Whether the token has ended the answer. */
function accept(answer: GrowingAnswer | undefined, id: number): boolean {
  if (answer === undefined || answer.ended) return false;
  answer.accept(id);
  return answer.ended;
}
