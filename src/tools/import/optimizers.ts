/** Optimisers, targets and chat templates by the names that other tools have for them. */
import { OUTER_TARGETS, PROJECTIONS } from '../../language/schemas/stages/train.js';
import { byWord, lookUp } from '../../language/source/look-up.js';

/** A function of ftpc and the arguments that make it the same. */
interface Optimizer {
  readonly call: 'adamw' | 'adamw8bit' | 'adafactor' | 'lion' | 'sgd';
  readonly paged?: boolean;
}

/** All that compute what AdamW computes, however they do it. */
const ADAMW =
  'adamw_torch adamw_torch_fused adamw_hf adamw_apex_fused adamw_torch_xla adamw_torch_npu_fused adamw_anyprecision ' +
  'paged_adamw_32bit paged_adamw adamw optimi_adamw flash_adamw';

const CALLS = byWord({
  adamw: ADAMW,
  adamw8bit: 'adamw_bnb_8bit adamw_8bit adamw_torch_8bit ao_adamw_8bit',
  paged: 'paged_adamw_8bit',
  adafactor: 'adafactor',
  lion: 'lion_32bit paged_lion_32bit lion flash_lion',
  sgd: 'sgd flash_sgd',
});

const OPTIMIZERS: Readonly<Record<string, Optimizer>> = {
  adamw: { call: 'adamw' },
  adamw8bit: { call: 'adamw8bit' },
  paged: { call: 'adamw8bit', paged: true },
  adafactor: { call: 'adafactor' },
  lion: { call: 'lion' },
  sgd: { call: 'sgd' },
};

/** The same in fewer bits than ftpc has, and what is nearest. */
const NEAREST: Readonly<Record<string, Optimizer>> = {
  adamw_torch_4bit: { call: 'adamw8bit' },
  ao_adamw_4bit: { call: 'adamw8bit' },
  ao_adamw_fp8: { call: 'adamw8bit' },
  lion_8bit: { call: 'lion' },
  paged_lion_8bit: { call: 'lion' },
};

/** `near`: ftpc has not this one, but one that differs little, or AdamW in its stead. */
export function optimizerOf(name: string): Optimizer & { readonly near?: string } {
  const key = name.replace(/^OptimizerNames\./, '').toLowerCase();
  const known = lookUp(OPTIMIZERS, lookUp(CALLS, key));
  if (known !== undefined) return known;
  const nearest = lookUp(NEAREST, key);
  return nearest === undefined
    ? {
        call: 'adamw',
        near: 'ftpc does not have it; AdamW takes its place, and another rate may suit it better',
      }
    : {
        ...nearest,
        near: `ftpc does not have it; \`${nearest.call}\`, which computes in more bits, takes its place`,
      };
}

/** Linear layers, embedding and head that ftpc knows by these names in every family; others are ends of paths. */
const LAYERS: ReadonlySet<string> = new Set([...PROJECTIONS, ...OUTER_TARGETS]);

export const isLayerName = (name: string): boolean => LAYERS.has(name);

/** `…(up|down|gate|q|k|v|o)_proj`: the end of a regular expression over paths, which ftpc does not take, as names. */
export function namesOfPattern(pattern: string): readonly string[] | undefined {
  const end = /\(([a-z_|]+)\)(_[a-z]+)?\$?$/.exec(pattern.slice(-200));
  const names = end?.[1]?.split('|').map((name) => `${name}${end[2] ?? ''}`);
  return names?.every((name) => LAYERS.has(name)) === true ? names : undefined;
}

export const isPattern = (target: string): boolean => /[()[\]\\|*+?^$]/.test(target);

/** Families of chat templates that ftpc has, by their names in other tools. */
const STYLES = byWord({
  chatml: 'chatml chatml_de',
  gemma: 'gemma gemma2',
  llama2: 'llama2',
  llama3: 'llama3',
  mistral: 'mistral mistral_v1 mistral_v2v3',
  phi3: 'phi3 phi_3 phi_35 phi',
  zephyr: 'zephyr',
});

/** A `style` of `chat()`; `undefined` for a template that ftpc has only where a model brings it. */
export const styleOf = (name: string): string | undefined => lookUp(STYLES, name);
