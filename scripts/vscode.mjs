/**
 * `npm run vscode [FILE]`: packages editors/vscode into a .vsix, by default editors/vscode/ftpc-VERSION.vsix.
 * A .vsix is a zip: `extension/` with the files, and a manifest and a list of content types for the editor.
 */
import { execFileSync } from 'node:child_process';
import { createWriteStream, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { ZipFile } from 'yazl';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'editors', 'vscode');
const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const { name, version, displayName, description, publisher, engines, categories, keywords } = manifest;
const output = resolve(process.argv[2] ?? join(folder, `${name}-${version}.vsix`));

execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
  stdio: 'inherit',
});
const { outputFiles } = await build({
  entryPoints: [join(folder, 'src', 'extension.ts')],
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node18',
  external: ['vscode'],
  minify: true,
  write: false,
  legalComments: 'inline',
});
const bundle = outputFiles[0].contents;

/** Name in the package → where it is, or its bytes. */
const files = new Map([
  ['package.json', join(folder, 'package.json')],
  ['README.md', join(folder, 'README.md')],
  ['LICENSE.txt', join(root, 'LICENSE')],
  ['language-configuration.json', join(folder, 'language-configuration.json')],
  ['grammar/ftp.tmLanguage.json', join(root, 'grammar', 'ftp.tmLanguage.json')],
  ['grammar/markdown.json', join(folder, 'grammar', 'markdown.json')],
  ['snippets/ftp.json', join(folder, 'snippets', 'ftp.json')],
  ['images/icon.png', join(folder, 'images', 'icon.png')],
  ['dist/extension.js', bundle],
]);

const TYPES = {
  '.json': 'application/json',
  '.js': 'application/javascript',
  '.md': 'text/markdown',
  '.txt': 'text/plain',
  '.png': 'image/png',
  '.vsixmanifest': 'text/xml',
};

const escaped = (text) => String(text).replace(/[<>&"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const vsixManifest = `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011" xmlns:d="http://schemas.microsoft.com/developer/vsx-schema-design/2011">
  <Metadata>
    <Identity Language="en-US" Id="${escaped(name)}" Version="${escaped(version)}" Publisher="${escaped(publisher)}" />
    <DisplayName>${escaped(displayName)}</DisplayName>
    <Description xml:space="preserve">${escaped(description)}</Description>
    <Tags>${escaped([...keywords, 'ftp', '__ext_ftp'].join(','))}</Tags>
    <Categories>${escaped(categories.join(','))}</Categories>
    <GalleryFlags>Public</GalleryFlags>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="${escaped(engines.vscode)}" />
      <Property Id="Microsoft.VisualStudio.Code.ExtensionDependencies" Value="" />
      <Property Id="Microsoft.VisualStudio.Code.ExtensionPack" Value="" />
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="workspace" />
    </Properties>
    <License>extension/LICENSE.txt</License>
    <Icon>extension/images/icon.png</Icon>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code" />
  </Installation>
  <Dependencies />
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true" />
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true" />
    <Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE.txt" Addressable="true" />
    <Asset Type="Microsoft.VisualStudio.Services.Icons.Default" Path="extension/images/icon.png" Addressable="true" />
  </Assets>
</PackageManifest>
`;

const contentTypes = `<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">${Object.entries(TYPES)
  .map(([extension, type]) => `<Default Extension="${extension}" ContentType="${type}" />`)
  .join('')}</Types>
`;

const zip = new ZipFile();
// One time for all, so that the same sources give the same package.
const options = { mtime: new Date(Date.UTC(2026, 0, 1)), mode: 0o100644 };
zip.addBuffer(Buffer.from(vsixManifest), 'extension.vsixmanifest', options);
zip.addBuffer(Buffer.from(contentTypes), '[Content_Types].xml', options);
for (const [path, source] of files) {
  if (TYPES[extname(path)] === undefined) throw new Error(`${path} has no content type`);
  const bytes = typeof source === 'string' ? readFileSync(source) : Buffer.from(source);
  zip.addBuffer(bytes, `extension/${path}`, options);
}
zip.end();

const unfinished = `${output}.tmp`;
try {
  await pipeline(zip.outputStream, createWriteStream(unfinished));
  renameSync(unfinished, output);
} finally {
  rmSync(unfinished, { force: true });
}
console.log(output);
