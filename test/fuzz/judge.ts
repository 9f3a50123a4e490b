/** What must hold of every text, however spoilt. */
import { applyEdits } from '../../src/language/diagnostics/apply.js';
import { checkJson, prettyDiagnostic } from '../../src/language/diagnostics/render/index.js';
import type { Diagnostic, Fix } from '../../src/language/diagnostics/types.js';
import { formatText } from '../../src/language/formatter/index.js';
import type { Host } from '../../src/language/host/host.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import type { Program } from '../../src/language/ir/program.js';
import { checkFile } from '../../src/language/lint/index.js';
import type { Span } from '../../src/language/source/span.js';
import { type SourceMap, type SourceText, sourceText } from '../../src/language/source/text.js';
import { parse } from '../../src/language/syntax/parse.js';
import { overlayHost, remembering } from '../helpers/overlay-host.js';
import type { Text } from './corpus.js';
import { firstUnread } from './unread.js';

export interface Judgement {
  /** What is wrong with how the text was read; none where all is well. */
  readonly problems: readonly string[];
  /** The text means the same as before, or what is wrong with it is said, or it is another sound text. */
  readonly outcome: 'same' | 'reported' | 'another';
}

/** Milliseconds of the processor that one text may take. */
const LONGEST = 3000;

export class Judge {
  private readonly disks = new Map<string, Host>();
  private readonly origins = new Map<Text, Origin>();

  judge(origin: Text, text: string): Judgement {
    const start = process.cpuUsage();
    const problems: string[] = [];
    const { diagnostics, program, sources } = this.check(origin, text);
    const before = this.origin(origin);
    const isReported = diagnostics.some((found) => !before.said.has(saying(found)));
    for (const found of diagnostics) problems.push(...misplaced(found, sources));
    for (const found of diagnostics) prettyDiagnostic(found, sources);
    JSON.stringify(checkJson(diagnostics, sources));
    const fix = diagnostics.find(({ fixes }) => fixes !== undefined)?.fixes?.[0];
    if (fix !== undefined) this.check(origin, withFix(fix, text, origin.name));
    if (program === undefined && !diagnostics.some(({ severity }) => severity === 'error'))
      problems.push('there is neither a program nor an error');
    const unread =
      program === undefined ? undefined : firstUnread(text, parse(sourceText(origin.name, text)).tree);
    if (unread !== undefined) problems.push(`\`${unread}\` is left out without a word`);
    problems.push(...formatting(text, origin.name));
    const { user, system } = process.cpuUsage(start);
    if ((user + system) / 1000 > LONGEST) problems.push(`it took ${Math.round((user + system) / 1000)} ms`);
    const isSame = meaning(program) === before.meaning;
    return { problems, outcome: isReported ? 'reported' : isSame ? 'same' : 'another' };
  }

  private check({ folder, name }: Text, text: string) {
    const disk = this.disks.get(folder) ?? remembering(nodeHost(folder));
    this.disks.set(folder, disk);
    const { diagnostics, compiled, sources } = checkFile(overlayHost(folder, { [name]: text }, disk), name);
    return { diagnostics, program: compiled.program, sources };
  }

  private origin(text: Text): Origin {
    const known = this.origins.get(text);
    if (known !== undefined) return known;
    const { program, diagnostics } = this.check(text, text.text);
    const made = { meaning: meaning(program), said: new Set(diagnostics.map(saying)) };
    this.origins.set(text, made);
    return made;
  }
}

/** What is known of a text that has not been spoilt. */
interface Origin {
  readonly meaning: string | undefined;
  readonly said: ReadonlySet<string>;
}

const saying = ({ code, message }: Diagnostic): string => `${code} ${message}`;

/** A program without its places and comments. */
const meaning = (program: Program | undefined): string | undefined =>
  program &&
  JSON.stringify(program, (key, value: unknown) => (key === 'span' || key === 'doc' ? undefined : value));

function misplaced({ code, at, related, fixes }: Diagnostic, sources: SourceMap): readonly string[] {
  const outside = (span: Span, what: string): readonly string[] =>
    isInside(span, sources.get(span.file)) ? [] : [`${what} of ${code} lies outside of ${span.file}`];
  return [
    ...(at !== undefined && 'start' in at ? outside(at, 'the place') : []),
    ...(related ?? []).flatMap(({ at }) => outside(at, 'a second place')),
    ...(fixes ?? []).flatMap((fix) => fix.edits.flatMap(({ span }) => outside(span, 'a fix'))),
    ...(fixes ?? []).flatMap((fix) => (overlaps(fix) ? [`edits of a fix of ${code} overlap`] : [])),
  ];
}

const isInside = ({ start, end }: Span, source: SourceText | undefined): boolean =>
  source !== undefined && start >= 0 && start <= end && end <= source.text.length;

function overlaps({ edits }: Fix): boolean {
  const spans = edits.map(({ span }) => span).sort((a, b) => a.start - b.start);
  return spans.some((span, i) => span.start < (spans[i - 1]?.end ?? 0));
}

/** The text with the edits of a fix that lie in it. */
const withFix = ({ edits }: Fix, text: string, name: string): string =>
  applyEdits(
    text,
    edits.filter(({ span }) => span.file === name),
  );

/** A text that is formatted says the same, and has its form for good. */
function formatting(text: string, name: string): readonly string[] {
  const { text: once, diagnostics } = formatText(text, name);
  if (once === undefined)
    return diagnostics?.some(({ code }) => code === 'FTP1102')
      ? ['the formatter would change what it says']
      : [];
  return formatText(once, name).text === once ? [] : ['formatted twice, it looks different'];
}
