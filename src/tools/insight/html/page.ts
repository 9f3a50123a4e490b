/** A self-contained page: no script, nothing loaded from anywhere, light or dark as the reader's system is. */
import { html, Markup } from './markup.js';

export function page(title: string, style: string, body: Markup): string {
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
${body}</body>
</html>`;
  return `${text}\n`;
}
