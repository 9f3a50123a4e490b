import { noSuchStage, severalStages } from '../../../language/diagnostics/catalogue/insight.js';
import { type Diagnostic, UserError } from '../../../language/diagnostics/types.js';
import type { Program, Stage } from '../../../language/ir/program.js';

/** `pipelines/legal.ftp:adapter.lora.rank`: a pipeline, and what in it is meant. */

interface Address {
  readonly file: string;
  /** `undefined`: the whole pipeline. */
  readonly name: string | undefined;
}

const ENDING = '.ftp';

/** `undefined` for what names no pipeline. A path may hold colons itself: `C:\\work\\legal.ftp:adapter`. */
export function addressOf(text: string, isFile: (path: string) => boolean): Address | undefined {
  if (isFile(text)) return { file: text, name: undefined };
  const ends: number[] = [];
  for (let at = text.indexOf(`${ENDING}:`); at >= 0; at = text.indexOf(`${ENDING}:`, at + 1))
    ends.push(at + ENDING.length);
  const end = ends.find((at) => isFile(text.slice(0, at))) ?? ends.at(-1);
  if (end !== undefined) {
    const name = text.slice(end + 1).trim();
    return { file: text.slice(0, end), name: name === '' ? undefined : name };
  }
  return text.endsWith(ENDING) ? { file: text, name: undefined } : undefined;
}

/** The stage that a name begins with, and the path after it; names of stages may hold dots: `adapter@rate=0.5`. */
export function splitName(
  name: string,
  stages: readonly string[],
): { readonly stage: string; readonly path: string } | undefined {
  const stage = stages
    .filter((one) => name === one || name.startsWith(`${one}.`))
    .sort((a, b) => b.length - a.length)[0];
  return stage === undefined ? undefined : { stage, path: name.slice(stage.length + 1) };
}

/** A name that no stage has; it may be that of a block of which a matrix makes several stages. */
export function noSuchName(
  file: string,
  name: string,
  stages: readonly Stage[],
  others: readonly string[] = [],
): Diagnostic {
  const [declared = name] = name.split('@');
  const instances = stages.filter(({ instance }) => instance?.of === declared).map((stage) => stage.name);
  return instances.length > 0
    ? severalStages(file, name, instances)
    : noSuchStage(
        file,
        name,
        stages.map((stage) => stage.name),
        others,
      );
}

/** Throws a `UserError` for a name that no stage has. */
export function requireStage({ file, stages }: Program, stage: string): void {
  if (!stages.some(({ name }) => name === stage)) throw new UserError(noSuchName(file, stage, stages));
}
