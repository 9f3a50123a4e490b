import type { BottleneckConfig } from '../../models/adapters/config.js';
import type { AdapterBase } from '../adapter-folder.js';
import { factTable, front } from '../peft/card.js';
import { INTERFACE_FILE } from './interface.js';

export interface BottleneckCardOptions {
  readonly base: AdapterBase;
  readonly licence?: string;
  /** Whether the library is told of the base's modules by a file of the folder. */
  readonly isTold: boolean;
}

const KINDS: Readonly<Record<BottleneckConfig['reads'], string>> = {
  output: 'sequential, reads what a part of a block gives (Houlsby)',
  sum: 'sequential, reads that and the hidden states it is added to (Pfeiffer)',
  stream: 'parallel, reads these hidden states alone',
};

const KNOWN = `import adapters
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(BASE)
adapters.init(model)`;

const TOLD = `import json
import adapters
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(BASE)
told = json.load(open(f"{ADAPTER}/${INTERFACE_FILE}"))["interface"]
adapters.init(model, interface=adapters.AdapterModelInterface(**told))`;

/** The model card of a bottleneck adapter's folder. */
export function bottleneckCard(
  { reduction, places, activation, reads, scale, leaveOut = [] }: BottleneckConfig,
  { base, licence, isTold }: BottleneckCardOptions,
): string {
  const facts: readonly (readonly [string, string | number])[] = [
    ['Kind', KINDS[reads]],
    ['At', places.join(', ')],
    ['Reduction factor', reduction],
    ['Activation', activation],
    ['Scaling', scale],
    ...(leaveOut.length === 0 ? [] : [['Layers without', leaveOut.join(', ')] as const]),
  ];
  return `${front(base, { library: 'adapter-transformers', tag: 'bottleneck-adapter', licence })}
# Bottleneck adapter for ${base.name ?? 'a base model'}

${factTable(facts)}

\`\`\`python
${isTold ? TOLD : KNOWN}
model.load_adapter(ADAPTER, use_safetensors=True, set_active=True)
\`\`\`
`;
}
