/** Architectures that transformers has, and this program no graph for. */
import { foreignBlueprint } from '../../foreign.js';
import type { ForeignModel, ModelConfig } from '../../types.js';
import type { Family } from './building-blocks.js';

const foreignOf = ({ foreign }: ModelConfig): ForeignModel => {
  if (foreign === undefined) throw new Error('a model of another architecture says which');
  return foreign;
};

/** `config.json` names its own classes, so that none of these is asked for. */
export const other: Family = {
  modelType: '',
  className: '',
  classifierName: '',
  read: (config) => config.unsupported('model_type', 'there is no graph'),
  blueprint: (config) => foreignBlueprint(config, foreignOf(config)),
  write: (config) => {
    throw foreignOf(config).refusal;
  },
};
