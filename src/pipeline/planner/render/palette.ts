/** The colours that a plan is shown in; picocolors has this shape, and `PLAIN` none. */
export interface Palette {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
  cyan(text: string): string;
}

const same = (text: string): string => text;
export const PLAIN: Palette = { bold: same, dim: same, green: same, yellow: same, red: same, cyan: same };
