/** Outcomes as the XML that build servers read: the schema of Ant's JUnit task, with `skipped` as Jenkins has it. */
import { type Diagnostic, isError } from '../../language/diagnostics/types.js';
import type { FileOutcome, TestOutcome } from './types.js';

interface JunitOptions {
  readonly hostname: string;
  /** Milliseconds since the epoch. */
  readonly began: number;
  /** A diagnostic for people, without colours. */
  readonly text: (diagnostic: Diagnostic) => string;
}

export function junit(files: readonly FileOutcome[], options: JunitOptions): string {
  const suites = files.map((file, id) => suite(file, id, options));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${['<testsuites>', ...suites, '</testsuites>'].join('\n')}\n`;
}

function suite({ file, diagnostics, tests }: FileOutcome, id: number, options: JunitOptions): string {
  const broken = diagnostics.filter(isError);
  const cases = tests.map((test) => testCase(test, options));
  // A file that cannot be read is an error of its own: it must not look like a file without tests.
  if (broken.length > 0)
    cases.unshift(element('testcase', naming(file, file, 0), [problem('error', broken, options)]));
  const count = (status: TestOutcome['status']): number =>
    tests.filter((test) => test.status === status).length;
  const attributes = {
    name: file,
    package: '',
    id,
    timestamp: new Date(options.began).toISOString().replace(/\.\d+Z$/, ''),
    hostname: options.hostname,
    tests: cases.length,
    failures: count('failed'),
    errors: broken.length > 0 ? 1 : 0,
    skipped: count('skipped'),
    time: seconds(tests.reduce((sum, test) => sum + test.seconds, 0)),
  };
  const parts = ['<properties/>', ...cases, '<system-out/>', '<system-err/>'];
  return element('testsuite', attributes, parts);
}

const naming = (file: string, name: string, time: number) => ({ classname: file, name, time: seconds(time) });

function testCase(test: TestOutcome, options: JunitOptions): string {
  const attributes = naming(test.file, test.name, test.seconds);
  if (test.status === 'skipped') return element('testcase', attributes, ['<skipped/>']);
  if (test.status === 'passed') return element('testcase', attributes, []);
  return element('testcase', attributes, [problem('failure', test.diagnostics, options)]);
}

function problem(kind: 'error' | 'failure', diagnostics: readonly Diagnostic[], { text }: JunitOptions) {
  const [first] = diagnostics;
  const attributes = { message: first?.message ?? '', type: first?.code ?? '' };
  return `<${kind}${written(attributes)}>${escaped(diagnostics.map(text).join('\n'))}</${kind}>`;
}

const seconds = (value: number): string => value.toFixed(3);

function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  parts: readonly string[],
): string {
  const head = `<${name}${written(attributes)}`;
  return parts.length === 0 ? `${head}/>` : [`${head}>`, ...parts, `</${name}>`].join('\n');
}

const written = (attributes: Readonly<Record<string, string | number>>): string =>
  Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escaped(`${value}`).replaceAll('\n', '&#10;')}"`)
    .join('');

/** What XML cannot hold at all, such as the start of a colour, is left out. */
const escaped = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
