export { htmlPage } from './html.js';
export { markdownPage } from './markdown.js';
export { type Page, pageOf } from './page.js';
export { referencePages } from './reference.js';
