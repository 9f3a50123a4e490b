/** Files that a path or a pattern of a pipeline names. */
import { join, resolve } from 'node:path';
import { formatQuantity } from '../check/units.js';
import type { Target } from './names/targets.js';
import type { View } from './projects.js';
import type { Session } from './session.js';

type Path = Extract<Target, { kind: 'path' }>;

/** Absolute; none where nothing is there. A model's folder is its `config.json`. */
export function filesNamed(
  { path, names }: Path,
  { analysis, compiled }: View,
  { projects }: Session,
): readonly string[] {
  const { folder } = analysis.context.world;
  const host = projects.hostAt(compiled.root);
  const whole = resolve(folder, path);
  const file = names === 'model' ? join(whole, 'config.json') : whole;
  if (host.stat(file)?.isFolder === false) return [file];
  return names === 'files' && /[*?[{]/.test(path)
    ? host.glob(path, folder).map((found) => resolve(folder, found))
    : [];
}

/** `3 files, 1.2MiB` */
export function pathText(target: Path, view: View, session: Session): string | undefined {
  const host = session.projects.hostAt(view.compiled.root);
  const files = filesNamed(target, view, session);
  if (files.length === 0 || target.names === 'model') return undefined;
  const bytes = files.reduce((sum, file) => sum + (host.stat(file)?.size ?? 0), 0);
  return `${files.length === 1 ? '1 file' : `${files.length} files`}, ${formatQuantity(bytes, 'bytes')}`;
}
