/** `/dashboard`: one page that loads nothing from anywhere, and renews its figures from the server that it came from. */
import { createHash } from 'node:crypto';
import { html, Markup } from '../../../language/source/markup.js';
import { STYLE } from './style.js';

/** Seconds between two looks. */
const EVERY = 2;

/**
 * Fetches the view and puts it into the page. A key stays in the tab that it was typed into. The page says so
 * where its view is older than the server's last answer.
 */
const SCRIPT = `
const view = document.getElementById('view');
const problem = document.getElementById('problem');
const form = document.getElementById('key-form');
const field = document.getElementById('key');
const stored = 'ftpc-key';
let timer;
async function look() {
  clearTimeout(timer);
  try {
    const key = sessionStorage.getItem(stored);
    const answer = await fetch('dashboard/view', { headers: key ? { authorization: 'Bearer ' + key } : {}, cache: 'no-store' });
    if (answer.status === 401) {
      view.replaceChildren();
      form.hidden = false;
      problem.textContent = key ? 'The key is not right.' : '';
      sessionStorage.removeItem(stored);
      field.focus();
      return;
    }
    if (!answer.ok) throw new Error('the server answers ' + answer.status);
    const text = await answer.text();
    const tables = [...view.querySelectorAll('.scroll')].map((each) => [each.scrollLeft, each === document.activeElement]);
    view.innerHTML = text;
    [...view.querySelectorAll('.scroll')].forEach((each, at) => {
      each.scrollLeft = tables[at]?.[0] ?? 0;
      if (tables[at]?.[1]) each.focus({ preventScroll: true });
    });
    form.hidden = true;
    problem.textContent = '';
  } catch (error) {
    problem.textContent = 'These figures are old: ' + (error instanceof TypeError ? 'the server does not answer' : error.message) + '.';
  }
  timer = setTimeout(look, document.hidden ? ${EVERY * 5000} : ${EVERY * 1000});
}
form.addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(stored, field.value.trim());
  field.value = '';
  look();
});
document.addEventListener('visibilitychange', () => { if (!document.hidden && form.hidden) look(); });
look();
`;

const digestOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Only what the page itself has may run or be looked at, and no other page may show it. */
export const DASHBOARD_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': `default-src 'none'; style-src ${digestOf(STYLE)}; script-src ${digestOf(SCRIPT)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** `view`: the figures, left out where a key is needed. Without scripts, the page is loaded again every ten seconds. */
export function dashboardPage(model: string, view: Markup | undefined): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${model} · ftpc</title>
<style>${new Markup(STYLE)}</style>
${view === undefined ? '' : new Markup('<noscript><meta http-equiv="refresh" content="10"></noscript>\n')}</head>
<body>
<main>
<p id="problem" role="status"></p>
<form id="key-form" hidden>
<div><label for="key">API key of this server</label>
<input id="key" type="password" autocomplete="off" required></div>
<button type="submit">Show</button>
</form>
${view === undefined ? new Markup('<noscript><p>This page asks for an API key, which needs JavaScript. The figures are at <code>/dashboard/data</code> and <code>/metrics</code>.</p></noscript>\n') : ''}<div id="view">${view}</div>
</main>
<script>${new Markup(SCRIPT)}</script>
</body>
</html>
`;
  return page.text;
}
