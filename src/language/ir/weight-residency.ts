/** Where a stage that trains nothing has a model's weights, which changes no result. `paged`: they stay in their files. */
export type WeightResidency = 'float32' | 'stored' | 'paged';
