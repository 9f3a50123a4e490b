/** FTP104x: comments that allow a finding. FTP105x: `ftpc.json`. The findings themselves are made by their rules. */
import type { Span } from '../../source/span.js';
import { suggestion } from '../did-you-mean.js';
import { error, insert, warning, withinQuotes } from '../make.js';
import type { Fix } from '../types.js';

export const allowedWithoutReason = (at: Span) =>
  warning('FTP1040', at, 'the comment allows a finding without giving a reason', {
    label: 'no reason',
    help: 'write the reason after a colon: `// allow(rule): why it is right here`',
    fixes: [
      {
        ...insert('write a reason', at.file, at.end, ': why it is right here'),
        applicability: 'has_placeholders',
      },
    ],
  });

export const unknownRule = (at: Span, id: string, known: readonly string[]) =>
  warning('FTP1041', at, `there is no rule \`${id}\``, {
    label: 'allows nothing',
    help: '`docs/lints.md` lists the rules, each with its reason',
    ...suggestion(id, at, known),
  });

export const allowsNothing = (at: Span, id: string, fix: Fix) =>
  warning('FTP1042', at, `\`${id}\` finds nothing here`, {
    label: 'allows nothing',
    help: 'the finding was fixed or has moved: remove the comment, so that it does not hide a later finding',
    fixes: [fix],
  });

export const unreadableAllow = (at: Span) =>
  warning('FTP1043', at, 'the comment looks as if it should allow a finding, but does not', {
    label: 'not understood',
    help: 'write `// allow(rule): reason`, or for several rules `// allow(rule, rule): reason`',
  });

export const configUnreadable = (at: Span, why: string) =>
  error('FTP1050', at, `the configuration cannot be read: ${why}`, { label: why });

export const configKey = (at: Span, key: string, where: string, known: readonly string[]) => ({
  ...error('FTP1051', at, `${where} has no key \`${key}\``, { label: 'unknown key' }),
  ...suggestion(key, withinQuotes(at), known),
});

export const configRule = (at: Span, id: string, known: readonly string[]) => ({
  ...error('FTP1052', at, `there is no rule \`${id}\``, {
    label: 'unknown rule',
    help: '`docs/lints.md` lists the rules, each with its reason',
  }),
  ...suggestion(id, withinQuotes(at), known),
});

export const configValue = (at: Span, wanted: string, fixes: readonly Fix[] = []) =>
  error('FTP1053', at, `expected ${wanted}`, { label: `expected ${wanted}`, fixes });

export const configTwice = (at: Span, key: string, first: Span) =>
  error('FTP1054', at, `\`${key}\` appears twice`, {
    label: 'again',
    related: [{ at: first, message: 'here first' }],
    help: 'keep one of them',
  });
