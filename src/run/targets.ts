import { resolve } from 'node:path';
import { checkTarget } from '../deploy/index.js';
import { type Diagnostic, UserError } from '../diagnostics/types.js';
import type { Call } from '../ir/types.js';
import type { Host } from '../source/host.js';
import { nodeDisk } from '../source/node-disk.js';
import type { Store } from '../store/index.js';
import type { Step } from './setting.js';

/** Deploy stages whose target cannot be written: told before hours of training, not after them. */
export function unwritableTargets(
  steps: readonly Step[],
  host: Host,
  store: Pick<Store, 'find'>,
): readonly Diagnostic[] {
  return steps
    .filter(({ stage, key }) => stage.kind === 'deploy' && store.find(key) === undefined)
    .flatMap(({ stage }) => {
      const { args } = stage.settings['target'] as Call;
      try {
        checkTarget({ host, disk: nodeDisk() }, resolve(host.cwd, String(args['path'])));
        return [];
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return [{ ...error.diagnostic, at: stage.span }];
      }
    });
}
