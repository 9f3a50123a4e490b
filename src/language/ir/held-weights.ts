/** How a stage that trains nothing holds a model's weights: what it computes is the same. `paged`: they stay in their files. */
export type HeldWeights = 'float32' | 'stored' | 'paged';
