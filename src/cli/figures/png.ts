import { join } from 'node:path';
import { packageRoot } from '../package-root.ts';

const FONTS = ['SourceSans3-Regular.ttf', 'SourceSans3-SemiBold.ttf'];

/** Fonts of the package; the renderer would drop all text without a word where it found none. */
const fontFiles = () => FONTS.map((name) => join(packageRoot, 'assets', 'fonts', name));

/** An SVG as PNG at twice its size. */
export async function renderPng(svg: string): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js');
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: 2 },
    font: { fontFiles: fontFiles(), loadSystemFonts: false, defaultFontFamily: 'Source Sans 3' },
  });
  return image.render().asPng();
}
