/** What a rule of the grammar is made of. */
export type Form =
  | { readonly kind: 'text'; readonly text: string }
  /** A class of characters, as EBNF writes it: `[A-Za-z_]`. */
  | { readonly kind: 'characters'; readonly text: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'sequence'; readonly items: readonly Form[] }
  | { readonly kind: 'choice'; readonly items: readonly Form[] }
  | { readonly kind: 'optional'; readonly item: Form }
  | { readonly kind: 'repeated'; readonly item: Form; readonly atLeastOnce: boolean }
  /** Items with a separator between them and, if one likes, behind the last. */
  | { readonly kind: 'list'; readonly item: Form; readonly separator: Form };

export const sequence = (items: readonly Form[]): Form => only(items) ?? { kind: 'sequence', items };
export const choice = (items: readonly Form[]): Form => only(items) ?? { kind: 'choice', items };
const only = (items: readonly Form[]): Form | undefined => (items.length === 1 ? items[0] : undefined);
