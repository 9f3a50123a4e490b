/** What the objectives for preferences take, as a pipeline writes it. */
import type { ObjectiveName, PreferencePart } from './recipe.js';

/** Arguments of the objectives by the parts of a recipe that they come from; a share is written in percent. */
export const ARGUMENTS: Readonly<
  Record<
    ObjectiveName,
    readonly { readonly name: string; readonly part: PreferencePart; readonly isShare?: true }[]
  >
> = {
  dpo: [
    { name: 'beta', part: 'beta' },
    { name: 'loss', part: 'pairLoss' },
    { name: 'label_smoothing', part: 'pairSmoothing', isShare: true },
    { name: 'sft', part: 'sftWeight' },
    { name: 'reference', part: 'reference' },
  ],
  orpo: [{ name: 'beta', part: 'beta' }],
  simpo: [
    { name: 'beta', part: 'beta' },
    { name: 'gamma', part: 'gamma' },
  ],
  kto: [
    { name: 'beta', part: 'beta' },
    { name: 'desirable', part: 'desirable' },
    { name: 'undesirable', part: 'undesirable' },
    { name: 'reference', part: 'reference' },
  ],
  reward: [],
};

export const takes = (objective: ObjectiveName, part: PreferencePart): boolean =>
  ARGUMENTS[objective].some((argument) => argument.part === part);
