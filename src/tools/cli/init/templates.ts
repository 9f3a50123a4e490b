/** What `ftpc init` can write: folders of `stdlib/templates/`, each with a pipeline, its rows and its tests. */
import { join } from 'node:path';
import type { Host } from '../../../language/host/host.js';

interface Template {
  /** What is learned, in half a sentence. */
  readonly doc: string;
  /** The pipeline. */
  readonly pipeline: string;
  /** How its release is asked: the command without `ftpc`. */
  readonly ask: string;
}

export const TEMPLATES = {
  instruction: {
    doc: 'a question and its answer: capitals of countries',
    pipeline: 'capitals.ftp',
    ask: 'generate releases/capitals "Which city is the capital of Japan?"',
  },
  chat: {
    doc: 'talks of several turns: a tutor of chemistry',
    pipeline: 'elements.ftp',
    ask: 'chat releases/elements',
  },
  classification: {
    doc: 'texts and their labels: classes of animals',
    pipeline: 'animals.ftp',
    ask: 'classify releases/animals "It has feathers and a beak."',
  },
  completion: {
    doc: 'plain texts, continued word by word: a gazetteer',
    pipeline: 'gazetteer.ftp',
    ask: 'generate releases/gazetteer "The capital of Japan is"',
  },
} as const satisfies Readonly<Record<string, Template>>;

export type TemplateName = keyof typeof TEMPLATES;
export const TEMPLATE_NAMES = Object.keys(TEMPLATES) as readonly TemplateName[];
/** Where nobody is asked. */
export const DEFAULT_TEMPLATE: TemplateName = 'instruction';

export const isTemplate = (name: string): name is TemplateName => Object.hasOwn(TEMPLATES, name);

/** The files of a template by their path in the new folder, the pipeline first. */
export function templateFiles(
  host: Pick<Host, 'packageFolder' | 'list' | 'stat' | 'readText'>,
  name: TemplateName,
): Readonly<Record<string, string>> {
  const folder = join(host.packageFolder, 'stdlib', 'templates', name);
  const walk = (prefix: string): readonly string[] =>
    [...host.list(join(folder, prefix))]
      .sort()
      .flatMap((entry) =>
        host.stat(join(folder, prefix, entry))?.isFolder === true
          ? walk(`${prefix}${entry}/`)
          : [`${prefix}${entry}`],
      );
  const { pipeline } = TEMPLATES[name];
  const others = walk('').filter((path) => path !== pipeline && !/(^|\/)\.ftp\//.test(path));
  return Object.fromEntries([pipeline, ...others].map((path) => [path, host.readText(join(folder, path))]));
}
