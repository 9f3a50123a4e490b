import type { Json } from '../../../language/host/json.js';

/** Fields that transformers reads as a `float` alone: it refuses the `30` that JSON makes of `30.0`, or warns of it. */
const FLOATS = [
  ...['attn_logit_softcapping', 'final_logit_softcapping', 'initializer_range'],
  ...['rms_norm_eps', 'layer_norm_eps', 'layer_norm_epsilon', 'partial_rotary_factor', 'rotary_pct'],
  ...[
    'rope_theta',
    'rope_local_base_freq',
    'factor',
    'low_freq_factor',
    'high_freq_factor',
    'attention_factor',
  ],
];

/** A whole number in a line of its own, as `JSON.stringify` indents members: within a text, line ends are escaped. */
const WHOLE = new RegExp(`^( *"(?:${FLOATS.join('|')})": -?\\d+)(?=,?$)`, 'gm');

/** The text of a `config.json`. */
export const configText = (config: Json): string =>
  `${JSON.stringify(config, null, 2).replace(WHOLE, '$1.0')}\n`;
