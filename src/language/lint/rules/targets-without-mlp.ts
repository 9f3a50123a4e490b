import { replace } from '../../diagnostics/make.js';
import { hasNoFactors, isAdapter } from '../lineage.js';
import type { Rule } from '../types.js';
import { valueAt } from '../values.js';

const MLP =
  /(?:^|\.)(?:gate_proj|up_proj|down_proj|gate_up_proj|c_fc|mlp\.c_proj|dense_h_to_4h|dense_4h_to_h)$/;

export const targetsWithoutMlp: Rule = {
  id: 'targets-without-mlp',
  code: 'FTP1003',
  level: 'warning',
  doc: 'An adapter on attention layers only.',
  reason:
    'LoRA must be applied to the MLP layers as well as to attention to reach what full fine-tuning reaches (arXiv:2410.21228); they have most of the parameters of a block. Attention alone saves memory at the cost of quality.',
  check: (pipeline) =>
    pipeline.of('train').flatMap((checked) => {
      const targets = valueAt(checked, 'lora.targets');
      const names =
        typeof targets === 'string' ? [targets] : Array.isArray(targets) ? targets.map(String) : [];
      if (!isAdapter(checked) || hasNoFactors(checked) || names.length === 0) return [];
      if (names.includes('all_linear') || names.some((name) => MLP.test(name))) return [];
      const { span, literal, because, byLibrary } = pipeline.place(checked, 'lora.targets');
      if (byLibrary) return [];
      // A choice such as `attention` reads as a name.
      const isWord = pipeline.text(span) === targets;
      return [
        {
          at: span,
          message: 'the adapter skips the MLP layers',
          label: because ?? 'attention only',
          help: 'write `targets: all_linear`; a lower rank saves memory at less cost in quality',
          fixes:
            literal || isWord ? [replace('write `all_linear`', span, 'all_linear', 'maybe_incorrect')] : [],
        },
      ];
    }),
};
