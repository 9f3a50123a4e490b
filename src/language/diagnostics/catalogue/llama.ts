/** What keeps llama.cpp from answering. */
import type { Span } from '../../source/span.js';
import { error, warning } from '../make.js';
import { cacheHelp, systemSays } from './runtimes.js';

const INSTALL = 'run `ftpc runtime install llama.cpp`';

export const llamaMissing = () =>
  error('FTP2020', undefined, 'llama.cpp is not installed', {
    help: `${INSTALL}, or answer with \`--engine embedded\``,
  });

/** An installation of which a file is not what was installed, or that does not load. */
export const llamaDamaged = (detail: string) =>
  error('FTP2021', undefined, `llama.cpp is damaged, and was not loaded: ${detail}`, {
    help: `repair it: ${INSTALL}; or answer with \`--engine embedded\``,
  });

/** `said`: what llama.cpp wrote about it. */
export const llamaRefuses = (label: string, what: string, said: readonly string[]) =>
  error('FTP2022', undefined, `llama.cpp does not open ${what} of \`${label}\``, {
    help: 'answer with `--engine embedded`',
    notes: said.length > 0 ? said : undefined,
  });

/** `why`: one clause. */
export const llamaCannot = (label: string, why: string, help: string) =>
  error('FTP2023', undefined, `llama.cpp cannot answer with \`${label}\`: ${why}`, { help });

export const llamaReadsOtherwise = (label: string) =>
  warning(
    'FTP2024',
    undefined,
    `llama.cpp’s own tokenizer splits texts of \`${label}\` differently from ftpc’s`,
    {
      help: 'nothing is wrong here, where llama.cpp gets ftpc’s tokens; its own server would give the model other tokens than training did',
    },
  );

/** `code` of the system's error. */
export const llamaNotConverted = (
  label: string,
  folder: string,
  { code, message }: { readonly code: string; readonly message: string },
) =>
  error('FTP2025', undefined, {
    message: `\`${label}\` cannot be written as a GGUF file into \`${folder}\`: ${systemSays(message)}`,
    help: cacheHelp(code),
  });

/** `why`: one clause. */
export const llamaOtherBeyond = (
  label: string,
  { tokens, why }: { readonly tokens: number; readonly why: string },
  at?: Span,
) =>
  warning('FTP2320', at, `beyond ${tokens} tokens, llama.cpp computes \`${label}\` differently: ${why}`, {
    help: `give llama.cpp a context of at most ${tokens} tokens, in which its answers are the same`,
  });
