/** One commit: which files are large is asked, these are uploaded, and the rest goes with the commit. */
import * as v from 'valibot';
import { badAnswer } from '../../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../../language/diagnostics/types.js';
import { hex, JsonFault, parseJson } from '../../../language/host/json.js';
import type { Repository } from '../../../language/schemas/repositories.js';
import type { UploadMemory } from '../../deploy/elsewhere.js';
import type { ReleaseFile } from '../../deploy/release-file.js';
import type { HubAccess } from '../access.js';
import { post } from './api.js';
import { refusedWrite } from './publish-diagnostics.js';
import { uploadLarge } from './upload.js';

interface CommitRequest {
  /** Commit that it follows. */
  readonly parent: string;
  readonly files: readonly ReleaseFile[];
  readonly deleted: readonly string[];
  readonly summary: string;
  readonly memory: UploadMemory;
  progress(done: number, total: number): void;
}

const MODES = v.object({
  files: v.array(
    v.object({
      path: v.string(),
      uploadMode: v.picklist(['lfs', 'regular']),
      shouldIgnore: v.optional(v.boolean()),
    }),
  ),
});
const COMMIT = v.object({ commitOid: hex(40, 'a commit') });

/** Bytes that the Hub looks at to tell texts from other files. */
const SAMPLE = 512;
/** Bytes of a file that goes with the commit, at most: the Hub takes larger ones from its storage only. */
const MOST_WITHIN = 10 << 20;

/** The new commit. Throws a `TransientError` or a `UserError`. */
export async function commit(
  access: HubAccess,
  repository: Repository,
  asked: CommitRequest,
): Promise<string> {
  const { id, revision } = repository;
  const { parent, files, deleted, summary, memory } = asked;
  const large = await largeFiles(access, repository, files);
  const uploads = files.filter(({ name }) => large.has(name));
  const total = uploads.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const sent = (bytes: number): void => {
    done += bytes;
    asked.progress(Math.min(done, total), total);
  };
  await uploadLarge(access, uploads, { id, branch: revision, memory, sent });
  const lines = [
    { key: 'header', value: { summary, description: '', parentCommit: parent } },
    ...files.map((file) => (large.has(file.name) ? pointer(file) : whole(file))),
    ...deleted.map((path) => ({ key: 'deletedFile', value: { path } })),
  ];
  const path = `/api/models/${id}/commit/${encodeURIComponent(revision)}`;
  const body = `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
  const answer = parseJson(COMMIT, await post(access, id, { path, type: 'application/x-ndjson', body }));
  if (answer instanceof JsonFault) throw new UserError(badAnswer(path, answer.detail));
  return answer.commitOid;
}

const pointer = ({ name, sha256, bytes }: ReleaseFile) => ({
  key: 'lfsFile',
  value: { path: name, algo: 'sha256', oid: sha256, size: bytes },
});

const whole = (file: ReleaseFile) => ({
  key: 'file',
  value: { content: contentOf(file, file.bytes).toString('base64'), path: file.name, encoding: 'base64' },
});

const contentOf = ({ bytes, read }: ReleaseFile, most: number): Buffer =>
  Buffer.concat([...read(0, Math.min(bytes, most))]);

/**
 * Names of the files that are stored apart: those that the Hub names, and all that are too large to be held in memory,
 * whatever it says.
 */
async function largeFiles(
  access: HubAccess,
  { id, revision }: Repository,
  files: readonly ReleaseFile[],
): Promise<ReadonlySet<string>> {
  const path = `/api/models/${id}/preupload/${encodeURIComponent(revision)}`;
  const large = new Set(files.filter(({ bytes }) => bytes > MOST_WITHIN).map(({ name }) => name));
  for (let start = 0; start < files.length; start += 256) {
    const asked = files.slice(start, start + 256).map((file) => ({
      path: file.name,
      sample: contentOf(file, SAMPLE).toString('base64'),
      size: file.bytes,
    }));
    const answer = parseJson(MODES, await post(access, id, { path, body: JSON.stringify({ files: asked }) }));
    if (answer instanceof JsonFault) throw new UserError(badAnswer(path, answer.detail));
    const ignored = answer.files.find(({ shouldIgnore }) => shouldIgnore === true);
    if (ignored !== undefined)
      throw new UserError(refusedWrite(id, `a .gitignore of the repository leaves out ${ignored.path}`));
    // a storage takes no empty file
    const empty = new Set(asked.flatMap(({ path: name, size }) => (size === 0 ? [name] : [])));
    for (const { path: name, uploadMode } of answer.files)
      if (uploadMode === 'lfs' && !empty.has(name)) large.add(name);
  }
  return large;
}
