/** Folders that have a model's config and not its weights: a plan needs no more. */
import { userProblem } from '../../compute/models/user-problem.js';
import { modelError } from '../../language/diagnostics/catalogue/files.js';
import { plannedByShape } from '../../language/diagnostics/catalogue/hub.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { DigestTable } from '../../language/host/digests.js';
import type { Host } from '../../language/host/host.js';
import type { Call, Program } from '../../language/ir/program.js';
import type { Span } from '../../language/source/span.js';
import { resolveModelCall, SHAPE } from '../stages/resolve-models.js';
import { allCalls, type HubCall, replaceCalls } from './calls.js';
import { withVirtualFiles } from './heads.js';
import { type ShapedFolder, shapedFolder } from './model-shapes.js';

interface ShapedProgram {
  readonly program: Program;
  /** Shows their weights as far as a plan needs them. */
  readonly host: Host;
  readonly digests: DigestTable;
  readonly diagnostics: readonly Diagnostic[];
}

/** `at`: where the settings that name a model are in the file. An error says what is wrong with a config whose tensors are not known. */
export function withLocalShapes(
  program: Program,
  host: Host,
  at: (named: readonly Pick<HubCall, 'stage' | 'path'>[]) => Span | undefined = () => undefined,
): ShapedProgram {
  const found = new Map<string, ShapedFolder>();
  const refused = new Map<string, Diagnostic>();
  const shapeIn = (call: Call): ShapedFolder | undefined => {
    const folder = folderOf(call, program, host);
    if (folder === undefined) return undefined;
    return shapedFolder(host, folder, String(call.args['folder']), (error) =>
      refused.set(folder, modelError(error)),
    );
  };
  const shaped = replaceCalls(program, (call) => {
    const shape = call.call === 'local' ? shapeIn(call) : undefined;
    if (shape === undefined) return call;
    found.set(shape.folder, shape);
    return { ...call, args: { ...call.args, [SHAPE]: true } };
  });
  const shapes = [...found.values()];
  if (refused.size > 0 || shapes.length === 0)
    return { program, host, digests: {}, diagnostics: [...refused.values()] };
  return {
    program: { ...shaped, shapes: [...(program.shapes ?? []), ...shapes.map(({ shape }) => shape)] },
    host: withVirtualFiles(host, new Map(shapes.flatMap(({ files }) => [...files]))),
    diagnostics: shapes.map(({ shape }) => {
      const said = plannedByShape(shape);
      return { ...said, at: at(settingsWith(program, shape.model)) ?? said.at };
    }),
    digests: Object.assign({}, ...shapes.map(({ digests }) => digests)),
  };
}

/** The settings that name a folder. */
const settingsWith = ({ stages }: Program, folder: string): readonly Pick<HubCall, 'stage' | 'path'>[] =>
  allCalls(stages).filter(({ call }) => call.call === 'local' && call.args['folder'] === folder);

function folderOf(call: Call, { folder }: Program, host: Host): string | undefined {
  try {
    return resolveModelCall(call, { folder, host })?.folder;
  } catch (error) {
    if (userProblem(error) === undefined) throw error;
    return undefined;
  }
}
