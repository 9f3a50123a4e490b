import { ModelError } from '../../compute/models/types.js';
import { UserError } from '../../language/diagnostics/types.js';
import { HostError } from '../../language/host/host.js';
import { nodeHost } from '../../language/host/node-host.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import type { TrainPlan } from '../../language/schemas/types.js';
import type { Job } from './messages.js';

export interface NextTry {
  readonly chosen: TrainPlan;
  readonly change: Readonly<Record<string, unknown>>;
}

/**
 * What to try after the system has killed a training run because memory ran out: the same ladder that the stage itself takes
 * when an allocation fails. Each rung computes the same sum in another order, so it resumes from the last checkpoint.
 * `undefined` where the stage is no training, or nothing is left to try.
 */
export async function nextTry({ stage, chosen, inputs, folder, cwd }: Job): Promise<NextTry | undefined> {
  if (stage.kind !== 'train' || chosen === undefined) return undefined;
  const { recover } = await import('../stages/train/recovery.js');
  const { openResolved } = await import('../stages/models.js');
  const { resolveModel } = await import('../stages/model-places.js');
  const host = nodeHost(cwd);
  const settings = settingsOf(stage, 'train');
  try {
    const base = resolveModel(settings.base, { inputs, folder, host });
    return recover(chosen, settings, openResolved(host, base).config);
  } catch (error) {
    // The base cannot be read any more: the kill is what the user has to be told.
    if (error instanceof ModelError || error instanceof HostError || error instanceof UserError)
      return undefined;
    throw error;
  }
}
