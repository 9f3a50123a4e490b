import { resolve } from 'node:path';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { nodeDisk } from '../../language/host/node-disk.js';
import { settingsOf } from '../../language/schemas/stages/settings.js';
import { checkTarget } from '../deploy/index.js';
import type { Store } from '../store/index.js';
import type { StagePlan } from './run-context.js';

/** Deploy stages whose target cannot be written: told before hours of training, not after them. */
export function unwritableTargets(
  plans: readonly StagePlan[],
  host: Host,
  store: Pick<Store, 'find'>,
): readonly Diagnostic[] {
  return plans
    .filter(({ stage, key }) => stage.kind === 'deploy' && store.find(key) === undefined)
    .flatMap(({ stage }) => {
      const { args } = settingsOf(stage, 'deploy').target;
      try {
        checkTarget({ host, disk: nodeDisk() }, resolve(host.cwd, String(args['path'])));
        return [];
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return [{ ...error.diagnostic, at: stage.span }];
      }
    });
}
