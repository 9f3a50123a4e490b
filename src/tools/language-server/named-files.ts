/** Files that a path or a pattern of a pipeline names. */
import { join, resolve } from 'node:path';
import { formatQuantity } from '../../language/check/units.js';
import { counted } from '../../language/diagnostics/make.js';
import type { Target } from './names/targets.js';
import type { View } from './projects.js';
import type { Session } from './session.js';

type Path = Extract<Target, { kind: 'path' }>;

/** The file that says what a folder holds. */
const CONFIGS: Partial<Readonly<Record<Path['names'], string>>> = {
  model: 'config.json',
  adapter: 'adapter_config.json',
};

/** A model or an adapter, which is a folder. */
export const namesFolder = ({ names }: Path): boolean => CONFIGS[names] !== undefined;

/** Absolute; none if nothing is there. Of a folder it is the file that says what is in it. */
export function filesNamed(
  { path, names }: Path,
  { analysis, compiled }: View,
  { projects }: Session,
): readonly string[] {
  const { folder } = analysis.context.access;
  const host = projects.hostAt(compiled.root);
  const whole = resolve(folder, path);
  const file = join(whole, CONFIGS[names] ?? '');
  if (host.stat(file)?.isFolder === false) return [file];
  return names === 'files' && /[*?[{]/.test(path)
    ? host.glob(path, folder).map((found) => resolve(folder, found))
    : [];
}

/** `3 files, 1.2MiB` */
export function pathText(target: Path, view: View, session: Session): string | undefined {
  const host = session.projects.hostAt(view.compiled.root);
  const files = filesNamed(target, view, session);
  if (files.length === 0 || namesFolder(target)) return undefined;
  const bytes = files.reduce((sum, file) => sum + (host.stat(file)?.size ?? 0), 0);
  return `${counted(files.length, 'file')}, ${formatQuantity(bytes, 'bytes')}`;
}
