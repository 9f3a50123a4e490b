/** The formatter of `ftpc fmt`, as edits that leave untouched lines alone. */
import { formatText } from '../../../language/formatter/index.js';
import { lineEdits } from '../line-edits.js';
import { type Feature, safely, viewOf } from '../session.js';

export const formatting: Feature = {
  capabilities: { documentFormattingProvider: true },
  register: (session) =>
    session.connection.onDocumentFormatting(
      safely(session, null, (params) => {
        const view = viewOf(session, params);
        if (view === undefined) return null;
        const { text } = formatText(view.source.text, view.source.file);
        return text === undefined ? null : lineEdits(view.source, text);
      }),
    ),
};
