/** Names of copies: the same model under another organisation, tuned further, or packed another way. */

/** Words that say how a copy is packed. */
const PACKING: ReadonlySet<string> = new Set(['hf', 'meta', 'bnb', '4bit', 'unsloth', 'bf16']);
/** Words that say what a model was trained for: its shape stays. */
const TUNING: ReadonlySet<string> = new Set(['instruct', 'chat', 'it', 'pt', 'base']);

/** Organisations that publish models of others unchanged, under their names, and the architectures that they change. */
const REPUBLISHERS: Readonly<Record<string, readonly string[]>> = {
  // Phi-3's fused projections are taken apart there
  unsloth: ['phi3'],
  nousresearch: [],
  'mistral-community': [],
};

export interface NameForms {
  readonly organisation: string;
  /** Without the words of packing; and without those of tuning, too. */
  readonly forms: readonly [packed: string, plain: string];
  /** Its weights are in 4 bits of bitsandbytes. */
  readonly isQuantised: boolean;
}

export function nameForms(id: string): NameForms {
  const [organisation = '', name = ''] = id.toLowerCase().split('/');
  const packed = name.split(/[-_]/).filter((word) => !PACKING.has(word));
  return {
    organisation,
    forms: [packed.join('-'), packed.filter((word) => !TUNING.has(word)).join('-')],
    isQuantised: name.includes('bnb-4bit'),
  };
}

/** Whether a name of one organisation may mean a model of another. */
export function republishes(organisation: string, architecture: unknown): boolean {
  const changed = Object.hasOwn(REPUBLISHERS, organisation) ? REPUBLISHERS[organisation] : undefined;
  return changed !== undefined && !changed.includes(String(architecture));
}
