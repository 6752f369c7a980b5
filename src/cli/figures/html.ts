import { DARK, LIGHT } from '../../dash/plots/theme.ts';
import { escaped } from './compose.ts';
import { type Figure, FONT } from './figure.ts';

/**
 * A page that holds the figure itself, light or dark as the reader's system is, and needs nothing
 * else.
 */
export function figurePage({ title, caption }: Figure, light: string, dark: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<meta name="description" content="${escaped(caption)}">
<style>
body { margin: 0; font-family: ${FONT}; background: ${LIGHT.background}; }
main { max-width: 1000px; margin: 0 auto; padding: 1rem; }
svg { display: block; max-width: 100%; height: auto; }
.dark { display: none; }
@media (prefers-color-scheme: dark) {
  body { background: ${DARK.background}; }
  .light { display: none; }
  .dark { display: block; }
}
</style>
</head>
<body>
<main>
<div class="light">${withIds(light, 'light')}</div>
<div class="dark">${withIds(dark, 'dark')}</div>
</main>
</body>
</html>
`;
}

/** Two figures in one page must not share the ids by which they name themselves. */
function withIds(svg: string, theme: string): string {
  return svg
    .replace('aria-labelledby="title caption"', `aria-labelledby="title-${theme} caption-${theme}"`)
    .replace('id="title"', `id="title-${theme}"`)
    .replace('id="caption"', `id="caption-${theme}"`)
    .replaceAll(/(id="|url\(#)clip-(\d+)/g, `$1clip-$2-${theme}`);
}
