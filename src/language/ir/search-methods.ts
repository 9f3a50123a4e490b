/** Which trials a search makes, and which of them it ends early. */
export const SEARCH_METHODS = ['grid', 'random', 'halving'] as const;
export type SearchMethod = (typeof SEARCH_METHODS)[number];
