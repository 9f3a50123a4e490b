import { type FunctionSchema, required, t } from '../schema.js';

/** Where an adapter comes from. */
export const adapters = {
  peft: {
    family: 'adapter',
    doc: 'A LoRA adapter folder as PEFT saves it, to continue from.',
    positional: ['folder'],
    args: { folder: required(t.adapterFolder, 'Folder, relative to the pipeline file.') },
  },
  adapterhub: {
    family: 'adapter',
    doc: "A folder of bottleneck adapters as AdapterHub's `adapters` saves it, to continue from.",
    positional: ['folder'],
    args: { folder: required(t.adapterFolder, 'Folder, relative to the pipeline file.') },
  },
} as const satisfies Record<string, FunctionSchema>;
