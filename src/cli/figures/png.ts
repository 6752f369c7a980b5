import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Fonts of the package; the renderer would drop all text without a word where it found none. */
function fontFiles(): string[] {
  let folder = dirname(fileURLToPath(import.meta.url));
  // The same code runs from src and from dist.
  while (!existsSync(join(folder, 'assets', 'fonts'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new Error('the fonts of eos are missing: assets/fonts is not in the package');
    folder = parent;
  }
  return ['SourceSans3-Regular.ttf', 'SourceSans3-SemiBold.ttf'].map((name) =>
    join(folder, 'assets', 'fonts', name),
  );
}

/** An SVG as PNG at twice its size. */
export async function renderPng(svg: string): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js');
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: 2 },
    font: { fontFiles: fontFiles(), loadSystemFonts: false, defaultFontFamily: 'Source Sans 3' },
  });
  return image.render().asPng();
}
