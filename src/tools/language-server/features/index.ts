import { completion } from '../completion/complete.js';
import type { Feature } from '../session.js';
import { codeActions } from './code-actions.js';
import { formatting } from './formatting.js';
import { hover } from './hover.js';
import { inlayHints } from './inlay-hints.js';
import { definition, highlight, links, references } from './navigation.js';
import { folding, selection } from './ranges.js';
import { rename } from './rename.js';
import { semanticTokens } from './semantic-tokens.js';
import { signatureHelp } from './signature.js';
import { documentSymbols, workspaceSymbols } from './symbols.js';

/** Every feature that answers requests; adding one is a file and a line. */
export const features: readonly Feature[] = [
  completion,
  hover,
  signatureHelp,
  definition,
  references,
  highlight,
  rename,
  formatting,
  codeActions,
  documentSymbols,
  workspaceSymbols,
  folding,
  selection,
  semanticTokens,
  links,
  inlayHints,
];
