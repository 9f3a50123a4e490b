import { askedAsTrained } from '../../compute/evaluation/asked-as-trained.js';
import { NoNumberError } from '../../compute/evaluation/generation/answer.js';
import { pythonStrip } from '../../compute/evaluation/metrics/python-text.js';
import type { ReleaseManifest } from '../../compute/packaging/manifest.js';
import type { Host } from '../../language/host/host.js';
import { type OpenAnswererOptions, openAny } from './open-answerer.js';
import { smokeFailed } from './release-diagnostics.js';

/** Long enough to see that it answers. */
const TOKENS = 48;
/** For a release without a question of its own, which must only load and give numbers. */
const ANY = 'Hello';

interface SmokeOptions extends OpenAnswererOptions {
  /** The question; left out, any answer will do, an empty one too. */
  readonly prompt?: string;
  readonly signal?: AbortSignal;
}

/**
 * Loads a release from its folder and asks it, or lets it label a text; `releases` is the folder that it is published
 * to, for people. Throws a `UserError` if it gives no text.
 */
export async function smoke(
  host: Host,
  releases: string,
  { prompt, signal, ...open }: SmokeOptions,
): Promise<ReleaseManifest['smoke']> {
  const model = await openAny(host, open);
  try {
    const text =
      'labels' in model
        ? (await model.classify(prompt ?? ANY)).label
        : (await model.answer(askedAsTrained(prompt ?? ANY, model.training), { maxTokens: TOKENS, signal }))
            .text;
    if (prompt === undefined) return null;
    if (pythonStrip(text) === '') throw smokeFailed(releases, prompt, 'its answer is empty');
    return { prompt, answer: text };
  } catch (error) {
    if (error instanceof NoNumberError) throw smokeFailed(releases, prompt ?? ANY, error.message);
    throw error;
  } finally {
    await model.release();
  }
}
