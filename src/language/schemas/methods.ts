/** How a train stage trains: what may follow `using`. */

/** How a base is trained: LoRA, LoRA over a 4-bit base, every weight, or only a classification head. */
export const METHODS = ['lora', 'qlora', 'full', 'head'] as const;
export type Method = (typeof METHODS)[number];

export const isMethod = (value: unknown): value is Method => (METHODS as readonly unknown[]).includes(value);

/** Whether the method trains low-rank factors, so that rank and alpha mean something. */
export const hasFactors = (method: string | undefined): boolean => method !== 'full' && method !== 'head';
