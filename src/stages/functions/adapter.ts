import { type FunctionSchema, required, t } from '../schema.js';

/** Where an adapter comes from. */
export const adapters = {
  peft: {
    family: 'adapter',
    doc: 'A LoRA adapter in a folder as PEFT saves it: to go on from.',
    positional: ['folder'],
    args: { folder: required(t.adapterFolder, 'Folder, relative to the pipeline file.') },
  },
  adapterhub: {
    family: 'adapter',
    doc: "Bottleneck adapters in a folder as AdapterHub's `adapters` saves them: to go on from.",
    positional: ['folder'],
    args: { folder: required(t.adapterFolder, 'Folder, relative to the pipeline file.') },
  },
} as const satisfies Record<string, FunctionSchema>;
