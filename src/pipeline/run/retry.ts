import { ModelError } from '../../compute/models/types.js';
import { UserError } from '../../language/diagnostics/types.js';
import { HostError } from '../../language/host/host.js';
import { nodeHost } from '../../language/host/node-host.js';
import type { Recovery } from '../stages/train/recovery.js';
import type { StageTask } from './messages.js';

/**
 * What to try after the system has killed a training run because memory ran out: what the stage itself would try when an
 * allocation fails. `undefined` if the stage is no training, or nothing is left to try.
 */
export async function retryOf({ cwd, ...task }: StageTask): Promise<Recovery | undefined> {
  const { stage, trainPlan } = task;
  if (stage.kind !== 'train' || trainPlan === undefined) return undefined;
  const { recoverKilled } = await import('../stages/train/recovery.js');
  try {
    return recoverKilled(trainPlan, { ...task, host: nodeHost(cwd) });
  } catch (error) {
    // The base cannot be read any more: the kill is what the user has to be told.
    if (error instanceof ModelError || error instanceof HostError || error instanceof UserError)
      return undefined;
    throw error;
  }
}
