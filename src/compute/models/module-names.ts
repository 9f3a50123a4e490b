/** Names of modules in files and in memory: files of models that also see have other first parts than transformers. */

interface Layout {
  /** A name that only files of this layout have. */
  readonly sign: RegExp;
  readonly renamed: readonly (readonly [file: RegExp, module: string])[];
}

/** As transformers 5.24.0 renames them on reading (`conversion_mapping.py`). */
const LAYOUTS: readonly Layout[] = [
  // Llama 4's, of which the text part is read alone
  { sign: /^vision_model\.vision_adapter\./, renamed: [[/^language_model\./, '']] },
  // the same of Qwen3.5's
  {
    sign: /^model\.language_model\.layers\.\d+\.linear_attn\./,
    renamed: [[/^model\.language_model\./, 'model.']],
  },
  {
    sign: /^language_model\.model\./,
    renamed: [
      [/^language_model\.model\./, 'model.language_model.'],
      [/^language_model\.lm_head\./, 'lm_head.'],
      [/^vision_tower\./, 'model.vision_tower.'],
      [/^multi_modal_projector\./, 'model.multi_modal_projector.'],
    ],
  },
  {
    sign: /^visual\./,
    renamed: [
      [/^visual\./, 'model.visual.'],
      [/^model\./, 'model.language_model.'],
    ],
  },
  // Mixtral's
  {
    sign: /\.block_sparse_moe\.experts\.\d+\./,
    renamed: [[/\.block_sparse_moe\./, '.mlp.']],
  },
];

/** What transformers calls in memory what is called `file` in a model's files, all of whose names are given. */
export function moduleNames(names: Iterable<string>): (file: string) => string {
  const all = [...names];
  const { renamed = [] } = LAYOUTS.find(({ sign }) => all.some((name) => sign.test(name))) ?? {};
  return (file) => {
    const rule = renamed.find(([from]) => from.test(file));
    return rule === undefined ? file : file.replace(rule[0], rule[1]);
  };
}
