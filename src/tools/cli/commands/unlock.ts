import type { Diagnostic } from '../../../language/diagnostics/types.js';
import { type FoundClaim, isAbandoned } from '../../../pipeline/store/index.js';
import { type Command, EXIT, option } from '../command.js';
import { printDiagnostics } from '../diagnostics-printer.js';
import { STORE_OPTION } from '../options/common-options.js';

const stateOf = (claim: FoundClaim): FoundClaim['state'] =>
  claim.state === 'gone' && !isAbandoned(claim) ? 'alive' : claim.state;

export const unlock: Command = {
  name: 'unlock',
  doc: 'Removes the lock of this folder, and claims in the store, whose process is gone. Runs do that themselves; this is for what they cannot know, as a machine that was switched off.',
  positionals: [
    {
      name: 'run',
      doc: 'Remove only what this run holds: its id, or the beginning of it; default: all whose process is gone.',
      optional: true,
    },
  ],
  options: {
    force: option.flag('Also where the process may live on another machine or in another container.'),
    ...STORE_OPTION,
  },
  examples: [
    ['ftpc unlock', 'what processes of this machine have left that are gone'],
    ['ftpc unlock 20261125-021354 --force', 'after the machine of this run was switched off for good'],
  ],
  run: async (args, context) => {
    const { stillHeld } = await import('../../../language/diagnostics/catalogue/housekeeping.js');
    const { dropClaim, dropLock, foundClaims, foundLock, fromCwd, layoutOf } = await import(
      '../../../pipeline/store/index.js'
    );
    const { whoText } = await import('../housekeeping/active-text.js');
    const { host } = context;
    const layout = layoutOf(host);
    const asked = args.optionalPositional('run');
    const isMeant = (runId = ''): boolean => asked === undefined || (asked !== '' && runId.startsWith(asked));
    const lock = foundLock(layout);
    const held = [
      ...(lock !== undefined && isMeant(lock.runId)
        ? [{ path: layout.lock, holder: { ...lock, cwd: host.cwd }, drop: () => dropLock(layout, lock) }]
        : []),
      ...foundClaims(layout)
        .filter(({ holder }) => isMeant(holder.runId))
        .map((claim) => ({
          path: `${layout.claims}/${claim.key}`,
          // the process of the stage may live on for a while
          holder: { ...claim.holder, state: stateOf(claim) },
          drop: () => dropClaim(layout, claim),
        })),
    ];
    const refused: Diagnostic[] = [];
    let removed = 0;
    for (const { path, holder, drop } of held) {
      const { state, runId = '' } = holder;
      const elsewhere = state === 'unknown';
      if (state === 'alive' || (elsewhere && !args.flag('force')))
        refused.push(stillHeld(fromCwd(host.cwd, path), runId, whoText(holder), elsewhere));
      else {
        drop();
        removed++;
        context.err(`removed ${fromCwd(host.cwd, path)} of run ${runId}`);
      }
    }
    if (removed === 0 && refused.length === 0) context.err('nothing is locked');
    await printDiagnostics(context, refused);
    return refused.length === 0 ? EXIT.done : EXIT.error;
  },
};
