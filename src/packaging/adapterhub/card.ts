import type { BottleneckConfig } from '../../models/types.js';
import { front } from '../peft/card.js';
import type { AdapterBase } from '../peft/config-file.js';

/** The model card of a bottleneck adapter's folder. */
export function bottleneckCard(
  { reduction, places, activation, scale, leaveOut = [] }: BottleneckConfig,
  base: AdapterBase,
  licence?: string,
): string {
  const facts: readonly (readonly [string, string | number])[] = [
    ['After', places.join(', ')],
    ['Reduction factor', reduction],
    ['Activation', activation],
    ['Scaling', scale],
    ...(leaveOut.length === 0 ? [] : [['Layers without', leaveOut.join(', ')] as const]),
  ];
  return `${front(base, { library: 'adapter-transformers', tag: 'bottleneck-adapter', licence })}
# Bottleneck adapter for ${base.name ?? 'a base model'}

| | |
|---|---|
${facts.map(([fact, value]) => `| ${fact} | ${value} |`).join('\n')}

\`\`\`python
import adapters
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(BASE)
adapters.init(model)
model.load_adapter(ADAPTER, use_safetensors=True, set_active=True)
\`\`\`
`;
}
