/** The models of an evaluation, one after another, over whichever engine computes. */
import type { LanguageModel } from '../../../compute/evaluation/language-model.js';
import type { ModelFacts } from '../../../compute/models/any-model.js';
import type { Tokenizer } from '../../../compute/models/types.js';
import type { StageContext } from '../stage.js';
import type { EvaluatedModel } from './evaluated-model.js';

/** A model whose config and adapter were read. */
interface DescribedModel {
  /** Of the base. */
  readonly facts: ModelFacts;
  /** Labels that it gives, of an adapter before those of the base. */
  readonly labels?: readonly string[];
  /** Virtual tokens that an adapter has before every text. */
  readonly virtualTokens: number;
  tokenizer(): Promise<Tokenizer>;
  open(): Promise<LanguageModel>;
}

/** Never holds two sets of weights: those of a model are released before others are read. */
export interface ModelOpener {
  /** Throws a `ModelError` for an adapter that does not fit. */
  describe(model: EvaluatedModel): DescribedModel;
  release(): Promise<void>;
}

export type OpenModels = (context: StageContext) => Promise<ModelOpener>;
