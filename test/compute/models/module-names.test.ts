import { expect } from 'chai';
import { moduleNames } from '../../../src/compute/models/module-names.js';

describe('names of modules in files and in memory', () => {
  const CASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'of a model that only reads': {
      'model.layers.0.a': 'model.layers.0.a',
      'lm_head.weight': 'lm_head.weight',
    },
    'of a model that sees, as it was saved by earlier releases': {
      'language_model.model.layers.0.a': 'model.language_model.layers.0.a',
      'language_model.lm_head.weight': 'lm_head.weight',
      'vision_tower.x': 'model.vision_tower.x',
      'multi_modal_projector.x': 'model.multi_modal_projector.x',
    },
    'of a model that sees, with the text part at the root': {
      'visual.blocks.0.a': 'model.visual.blocks.0.a',
      'model.layers.0.a': 'model.language_model.layers.0.a',
      'lm_head.weight': 'lm_head.weight',
    },
    'of Llama 4, whose text part is read alone': {
      'language_model.model.layers.0.a': 'model.layers.0.a',
      'language_model.lm_head.weight': 'lm_head.weight',
      'vision_model.vision_adapter.x': 'vision_model.vision_adapter.x',
    },
    'of Qwen3.5, whose text part is read alone': {
      'model.visual.x': 'model.visual.x',
      'model.language_model.layers.0.linear_attn.a': 'model.layers.0.linear_attn.a',
      'lm_head.weight': 'lm_head.weight',
    },
    'that are those in memory already': {
      'model.visual.x': 'model.visual.x',
      'model.language_model.layers.0.a': 'model.language_model.layers.0.a',
    },
  };
  for (const [title, names] of Object.entries(CASES))
    it(title, () => {
      const files = Object.keys(names);
      expect(files.map(moduleNames(files))).to.deep.equal(Object.values(names));
    });
});
