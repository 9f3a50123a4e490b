import { complete } from '../completion/complete.js';
import { type Request, toItem } from '../completion/request.js';
import { cursorAt } from '../cursor/frames.js';
import { toOffset } from '../positions.js';
import { type Feature, onView } from '../session.js';

/** What may be typed next; works on the tokens before the cursor, so that a file need not parse. */
export const completion: Feature = {
  capabilities: {
    completionProvider: { triggerCharacters: ['.', '"', '/', '=', ':', '(', '[', '{', ','] },
  },
  register: (session) =>
    session.connection.onCompletion(
      onView(session, null, (view, params) => {
        const cursor = cursorAt(view.source, toOffset(view.source, params.position));
        const frame = cursor.frames.at(-1);
        if (frame === undefined) return null;
        const snippets = session.client().textDocument?.completion?.completionItem?.snippetSupport === true;
        const request: Request = { session, view, cursor, frame, snippets };
        const seen = new Set<string>();
        return complete(request)
          .filter(({ label }) => !seen.has(label) && seen.add(label) !== undefined)
          .map((proposal) => toItem(proposal, request));
      }),
    ),
};
