/** FTP0752…: adapters, and train settings that conflict with the base or with each other. */
import type { Span } from '../../source/span.js';
import { nearest, otherPath } from '../did-you-mean.js';
import { error, info, named, replace, warning } from '../make.js';
import type { Diagnostic } from '../types.js';

export const adapterFolderMissing = (at: Span, folder: string, why: string, meant?: string) =>
  error('FTP0752', at, `the adapter folder \`${folder}\` cannot be used`, {
    label: why,
    help: 'give a folder that PEFT or AdapterHub saved (`adapter_config.json` and weights in safetensors), relative to the pipeline file',
    ...otherPath(at, meant),
  });

const LISTED = 20;

/** `known`: the possible names of a target: ends of the paths of the base's linear layers. */
export function targetUnknown(at: Span, target: string, known: readonly string[]): Diagnostic {
  const last = target.slice(target.lastIndexOf('.') + 1);
  const meant =
    known.find((name) => name.endsWith(`.${last}`)) ?? nearest(target, known) ?? nearest(last, known);
  return error('FTP0753', at, `no linear layer of the base is called \`${target}\``, {
    label: 'an adapter would not reach it',
    help:
      meant === undefined
        ? `its blocks have ${named(known.slice(0, LISTED), 'and')}; a target is one of these names, the end of a path, or a whole path`
        : `did you mean \`${meant}\`?`,
    ...(meant === undefined
      ? {}
      : { fixes: [replace(`write \`${meant}\``, at, JSON.stringify(meant), 'maybe_incorrect')] }),
  });
}

interface WithoutOuter {
  readonly setting: string;
  /** What to write instead. */
  readonly value: string;
  readonly why: string;
}

/** `why`: half a sentence. */
export const outerWithout = (at: Span, path: string, { setting, value, why }: WithoutOuter) =>
  error('FTP2330', at, `\`${setting}\` cannot be combined with factors over \`${path}\`: ${why}`, {
    label: 'conflicts with `targets`',
    help: `write \`${setting}: ${value}\`, or remove \`${path.slice(path.lastIndexOf('.') + 1)}\` from \`targets\``,
  });

export const factorsOverWhole = (at: Span, path: string) =>
  error('FTP2331', at, `\`${path}\` has factors and is trained in full`, {
    label: 'also named by `targets`',
    help: 'name it in one of `targets` and `modules_to_save`: factors are small, and the whole matrix can change in any way',
  });

/** `path`: the first of embedding and head that has factors. */
export const tiedFactors = (
  at: Span,
  {
    base,
    path,
    vocabSize,
    hiddenSize,
  }: {
    readonly base: string;
    readonly path: string;
    readonly vocabSize: number;
    readonly hiddenSize: number;
  },
) =>
  info(
    'FTP2332',
    at,
    `\`${base}\` ties embedding and head, and factors over \`${path}\` are for that one alone`,
    {
      label: 'a merge separates the two',
      help: `a merged language model has ${(vocabSize * hiddenSize).toLocaleString('en-US')} weights more, and its \`config.json\` says \`"tie_word_embeddings": false\`; without a merge nothing changes`,
    },
  );

export const targetOutside = (at: Span, target: string, layers: readonly number[]) =>
  error('FTP0755', at, `\`${target}\` is in none of the layers that get an adapter`, {
    label: `\`layers\` is ${layers.join(', ')}`,
    help: 'add its layer to `layers`, or remove one of the two settings',
  });

export function excludedAnyway(at: Span, name: string, known: readonly string[]): Diagnostic {
  const meant = nearest(name, known);
  return error('FTP0786', at, `\`${name}\` has no adapter that \`exclude\` could take away`, {
    label: 'matches no layer that `targets` names',
    help: meant === undefined ? 'remove it' : `did you mean \`${meant}\`?`,
  });
}

export const nothingAdapted = (at: Span, layers: number) =>
  error('FTP0787', at, `\`exclude\` takes all ${layers} linear layers out that \`targets\` names`, {
    label: 'nothing is left to train',
    help: 'exclude fewer layers',
  });

/** `others`: biases that the base has in layers without factors, and in norms. */
export const noBiases = (
  at: Span,
  { bias, base, others }: { readonly bias: string; readonly base: string; readonly others: number },
) =>
  error('FTP2211', at, {
    message: `\`bias: ${bias}\` trains nothing: ${others === 0 ? `\`${base}\` has no biases` : `no layer of \`${base}\` that has an adapter has a bias`}`,
    label: 'has no effect',
    help:
      others === 0
        ? 'remove `bias`'
        : `remove \`bias\`, or write \`bias: all\`, which trains ${others} others`,
  });

export const layerUnknown = (at: Span, layer: number, count: number) =>
  error('FTP0756', at, `the base has no layer ${layer}`, {
    label: `it has ${count} layers, 0 to ${count - 1}`,
    help: `use layers from 0 to ${count - 1}`,
  });

export const patternUnreadable = (at: Span, pattern: string, why: string) =>
  error('FTP0757', at, `\`${pattern}\` is not a pattern: ${why}`, {
    label: 'not a regular expression',
    help: 'write the end of a path from a dot on, such as `"self_attn.q_proj"`, or a regular expression that matches it',
  });

export const patternUnmatched = (
  at: Span,
  setting: 'rank_pattern' | 'alpha_pattern',
  pattern: string,
  known: readonly string[],
) => {
  const meant = nearest(pattern, known);
  return error('FTP0758', at, {
    message: `\`${setting}\` names \`${pattern}\`, but no linear layer with an adapter has that name`,
    label: 'has no effect',
    help:
      meant === undefined
        ? `the layers with an adapter are ${named(known.slice(0, LISTED), 'and')}`
        : `did you mean \`${meant}\`?`,
  });
};

interface Contradiction {
  /** As written in the file: `lora.rank`. */
  readonly setting: string;
  readonly set: string;
  readonly adapter: string;
  readonly taken: string;
}

export const startContradicts = (at: Span, { setting, set, adapter, taken }: Contradiction) =>
  error('FTP0759', at, `\`${setting}\` is ${set}, but the adapter \`${adapter}\` has ${taken}`, {
    label: 'differs from the adapter that training continues from',
    help: `remove \`${setting}\`: it is taken from the adapter`,
  });

const quoted = (name: string): string => `\`${name}\``;

/** `why`: half a sentence. `removable`: what to remove, if it has another name. */
const conflict = (
  code: string,
  at: Span,
  [setting, other]: readonly [setting: string, other: string],
  why: string,
  removable: string = other,
) =>
  error(code, at, `${setting} cannot be combined with ${other}: ${why}`, {
    label: 'conflicting settings',
    help: `remove ${setting} or ${removable}`,
  });

export const startWithout = (at: Span, setting: string, why: string) =>
  conflict('FTP0760', at, [quoted(setting), '`start`'], why);

export const adapterOverAdapter = (at: Span, model: string, modelAt: Span) =>
  error('FTP0788', at, `\`${model}\` is an adapter, and another one cannot be put over it`, {
    label: 'over a base or a whole model alone',
    related: [{ at: modelAt, message: 'the adapter of a training is a model' }],
    help: 'remove `adapter`, or evaluate it over the base: `model = …`',
  });

export const baseDiffers = (
  at: Span,
  { adapter, own, base }: { readonly adapter: string; readonly own: string; readonly base: string },
) =>
  warning('FTP0761', at, {
    message: `the adapter \`${adapter}\` was trained on \`${own}\`, but the base here is \`${base}\``,
    label: 'the shapes fit; whether the weights do is unknown',
    help: 'use the base that the adapter was trained on; if this is the same model under another name, ignore this',
  });

export const initWithout = (at: Span, init: string, setting: string, why: string) =>
  error('FTP0762', at, `\`init: ${init}\` cannot be combined with \`${setting}\`: ${why}`, {
    label: 'conflicting settings',
    help: `remove \`init\` or \`${setting}\``,
  });

export const rankTooHigh = (at: Span, layer: string, rank: number, most: number) =>
  error('FTP0763', at, {
    message: `\`init: pissa\` needs ${rank} principal components of \`${layer}\`, which has only ${most}`,
    label: `at most ${most}`,
    help: `lower \`rank\` to ${most} or less`,
  });

export const promptWithout = (at: Span, setting: string, why: string) =>
  conflict('FTP0764', at, [quoted(setting), '`prompt`'], why);

export const promptTooLong = (at: Span, tokens: number, positions: number) =>
  error('FTP0765', at, {
    message: `${tokens} virtual tokens leave no room for text: the base has ${positions} positions`,
    label: 'too many',
    help: 'lower `prompt.tokens`; 10 to 100 are usual',
  });

export const promptMerged = (at: Span, adapter: string) =>
  error('FTP0766', at, `\`${adapter}\` is a prompt, which cannot be merged into weights`, {
    label: 'virtual tokens, not changes to weights',
    help: 'load it with PEFT on top of its base; low-rank factors can be merged: train without `prompt`',
  });

export const prefixWithout = (at: Span, setting: string, why: string) =>
  conflict('FTP0767', at, [quoted(setting), 'a prefix'], why, 'the prefix');

export const prefixTooLong = (at: Span, tokens: number, positions: number) =>
  error('FTP0768', at, {
    message: `a prefix of ${tokens} tokens leaves no room for text: the base has ${positions} positions`,
    label: 'too many',
    help: 'lower `prefix.tokens`; 10 to 100 are usual',
  });

export const prefixMerged = (at: Span, adapter: string) =>
  error('FTP0769', at, `\`${adapter}\` is a prefix, which cannot be merged into weights`, {
    label: 'keys and values before every text, not changes to weights',
    help: 'load it with PEFT on top of its base; low-rank factors can be merged: train without `prefix`',
  });

export const bottleneckWithout = (at: Span, setting: string, why: string) =>
  conflict('FTP0770', at, [quoted(setting), 'bottleneck adapters'], why, '`adapter`');

export const bottleneckMerged = (at: Span, adapter: string) =>
  error('FTP0771', at, `\`${adapter}\` has bottleneck adapters, which cannot be merged into weights`, {
    label: 'they are separate, non-linear networks',
    help: "load it with AdapterHub's `adapters` on top of its base; low-rank factors can be merged: train without `adapter`",
  });

export const reductionTooHigh = (at: Span, reduction: number, hidden: number) =>
  error('FTP0772', at, `a reduction of ${reduction} leaves no width: the base has ${hidden} hidden values`, {
    label: `at most ${hidden}`,
    help: 'lower `reduction`; 2 to 64 are usual, and 16 is the most common',
  });

export const sumAfterNorm = (at: Span, family: string) =>
  error('FTP0773', at, `\`kind: pfeiffer\` does not work with the ${family} family`, {
    label: 'its blocks have a norm between a sublayer and the sum that the adapter would read',
    help: 'use `kind: houlsby` with the same `where`: it reads the output of the sublayer',
  });
